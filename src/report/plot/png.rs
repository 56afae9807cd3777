//! SVG to PNG.

use std::sync::Arc;

use anyhow::Context;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// The font of all text; without one, text would be missing without a word.
const FONT: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans.ttf");
/// Chinese: the common characters of Noto Sans SC, made from `NotoSansCJK-Regular.ttc` (2.004) with
/// `pyftsubset --font-number=2 --no-hinting --desubroutinize --layout-features=''` of the characters of
/// GB 2312, level 1, and the marks of Chinese.
const CHINESE: &[u8] = include_bytes!("../../../assets/fonts/NotoSansSC-subset.otf");
/// Pixels of the PNG per pixel of the picture.
const SCALE: f32 = 2.0;

/// Rasterises pictures. Letters that DejaVu Sans lacks come from the Chinese font, and what that lacks
/// from the system's fonts, if it has them.
pub(in crate::report) struct Rasteriser {
    options: Options<'static>,
}

impl Rasteriser {
    /// A rasteriser with its fonts.
    pub(in crate::report) fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        // The system's configuration names a sans-serif font of its own, which may not exist.
        fonts.load_font_data(FONT.to_vec());
        fonts.load_font_data(CHINESE.to_vec());
        fonts.load_system_fonts();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Side of a character's cell, in pixels.
    const CELL: usize = 16;
    const COLUMNS: usize = 40;

    #[test]
    fn every_chinese_character_of_ours_is_in_the_font() {
        let characters: Vec<char> = crate::text::chinese_characters().into_iter().collect();
        assert!(characters.len() > 400, "{}", characters.len());
        let (width, height) = (COLUMNS * CELL, characters.len().div_ceil(COLUMNS) * CELL);
        let mut svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">");
        for (i, c) in characters.iter().enumerate() {
            let (x, y) = (i % COLUMNS * CELL, (i / COLUMNS + 1) * CELL - 3);
            svg += &format!("<text x=\"{x}\" y=\"{y}\" font-size=\"14\">{c}</text>");
        }
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(CHINESE.to_vec());
        let family = fonts.faces().next().expect("a font").families[0].0.clone();
        let options = Options { fontdb: Arc::new(fonts), font_family: family, ..Options::default() };
        let tree = Tree::from_str(&(svg + "</svg>"), &options).expect("a picture");
        let mut pixels = Pixmap::new(width as u32, height as u32).expect("a size");
        resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
        // What the font lacks leaves its cell blank.
        let is_drawn = |i: usize| {
            let (left, top) = (i % COLUMNS * CELL, i / COLUMNS * CELL);
            let mut cell = (top..top + CELL).flat_map(|y| (left..left + CELL).map(move |x| (x as u32, y as u32)));
            cell.any(|(x, y)| pixels.pixel(x, y).is_some_and(|pixel| pixel.alpha() > 0))
        };
        let missing: Vec<char> = (0..characters.len()).filter(|&i| !is_drawn(i)).map(|i| characters[i]).collect();
        assert!(missing.is_empty(), "{missing:?} are not in the font; it is made as `CHINESE` says");
    }
}
