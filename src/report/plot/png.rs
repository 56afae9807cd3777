//! SVG to PNG.

use std::sync::Arc;

use anyhow::Context;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// The font of all text; without one, text would be missing without a word.
const FONT: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans.ttf");
/// Pixels of the PNG per pixel of the picture.
const SCALE: f32 = 2.0;

/// Rasterises pictures. Letters that DejaVu Sans lacks come from the system's fonts, if it has
/// them.
pub(in crate::report) struct Rasteriser {
    options: Options<'static>,
}

impl Rasteriser {
    /// A rasteriser with its fonts.
    pub(in crate::report) fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        // The system's configuration names a sans-serif font of its own, which may not exist.
        fonts.load_system_fonts();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Self { options: Options { fontdb: Arc::new(fonts), ..Options::default() } }
    }

    /// The picture as PNG.
    pub(in crate::report) fn png(&self, svg: &str) -> anyhow::Result<Vec<u8>> {
        let tree = Tree::from_str(svg, &self.options).context("cannot read a plot's SVG")?;
        let size = tree.size();
        let (width, height) = ((size.width() * SCALE).ceil() as u32, (size.height() * SCALE).ceil() as u32);
        let mut pixels = Pixmap::new(width, height).context("a plot without size")?;
        resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
        pixels.encode_png().context("cannot write a plot as PNG")
    }
}
