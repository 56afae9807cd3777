//! A canvas for plots: plotters' SVG backend at twice the size, since it rounds to whole pixels.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::text::{Lang, Words};

/// Pixels of the backend per pixel of the picture.
const SCALE: f64 = 2.0;
/// plotters divides font sizes by this when it writes SVG.
const FONT_QUIRK: f64 = 1.24;

// Colours that the colour-blind tell apart (Okabe and Ito, 2008), softened where they fill areas.
// The report's style sheet turns ink, muted, grid and paper over when it is dark.
pub(super) const BLUE: RGBColor = RGBColor(0x33, 0x7A, 0xB7);
pub(super) const ORANGE: RGBColor = RGBColor(0xF0, 0xB9, 0x4D);
pub(super) const GREEN: RGBColor = RGBColor(0x2A, 0x9D, 0x7C);
pub(super) const SKY: RGBColor = RGBColor(0xBC, 0xDD, 0xF0);
pub(super) const PURPLE: RGBColor = RGBColor(0xB0, 0x6F, 0xA6);
pub(super) const YELLOW: RGBColor = RGBColor(0xF5, 0xE6, 0x6B);
pub(super) const GREY: RGBColor = RGBColor(0xA3, 0xA9, 0xB1);
pub(super) const RED: RGBColor = RGBColor(0xC8, 0x2A, 0x2A);
pub(super) const INK: RGBColor = RGBColor(0x1F, 0x23, 0x29);
pub(super) const MUTED: RGBColor = RGBColor(0x5B, 0x63, 0x6E);
pub(super) const GRID: RGBColor = RGBColor(0xE4, 0xE7, 0xEB);
pub(super) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFE);

/// For things of one kind: neighbours differ in hue and in lightness.
pub(super) const SERIES: [RGBColor; 5] = [BLUE, ORANGE, GREEN, PURPLE, GREY];

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Align {
    /// To the right of it.
    Left,
    /// Around it.
    Centre,
    /// To the left of it.
    Right,
}

/// A picture under construction. Coordinates are pixels of the picture, from the top left.
pub(super) struct Canvas<'a> {
    lang: Lang,
    area: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
}

/// Draws a picture of this size, with its words in a language.
pub(super) fn picture(width: u32, height: u32, lang: Lang, draw: impl FnOnce(&Canvas)) -> String {
    let mut svg = String::new();
    let size = (width * SCALE as u32, height * SCALE as u32);
    {
        let canvas = Canvas { lang, area: SVGBackend::with_string(&mut svg, size).into_drawing_area() };
        canvas.rectangle(0.0, 0.0, width.into(), height.into(), PAPER, 1.0);
        draw(&canvas);
        canvas.area.present().expect("a string takes everything");
    }
    let drawn = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
    // Which shapes the characters have depends on the language, where the viewer may choose a font.
    svg.replacen(&drawn, &format!("width=\"{width}\" height=\"{height}\" xml:lang=\"{}\"", lang.tag()), 1)
}

impl<'a> Canvas<'a> {
    /// A filled rectangle.
    pub(super) fn rectangle(&self, left: f64, top: f64, right: f64, bottom: f64, color: RGBColor, opacity: f64) {
        self.draw(&Rectangle::new([at((left, top)), at((right, bottom))], color.mix(opacity).filled()));
    }

    /// A filled polygon.
    pub(super) fn polygon(&self, points: impl IntoIterator<Item = (f64, f64)>, color: RGBColor, opacity: f64) {
        let points: Vec<_> = points.into_iter().map(at).collect();
        self.draw(&Polygon::new(points, color.mix(opacity)));
    }

    /// A line through points.
    pub(super) fn line(&self, points: impl IntoIterator<Item = (f64, f64)>, color: RGBColor, width: f64) {
        let points: Vec<_> = points.into_iter().map(at).collect();
        self.draw(&PathElement::new(points, color.stroke_width((width * SCALE).round() as u32)));
    }

    /// A vertical dashed line.
    pub(super) fn dashes(&self, x: f64, top: f64, bottom: f64, color: RGBColor) {
        let mut y = top;
        while y < bottom {
            self.line([(x, y), (x, (y + 5.0).min(bottom))], color, 1.0);
            y += 9.0;
        }
    }

    /// A text in the picture's language.
    pub(super) fn say(&self, text: &impl Words) -> String {
        text.words().say(self.lang)
    }

    /// A text whose middle is at the height of its point.
    pub(super) fn text(
        &self,
        text: &(impl Words + ?Sized),
        point: (f64, f64),
        size: f64,
        color: RGBColor,
        align: Align,
    ) {
        let h = match align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let font = ("sans-serif", size * SCALE * FONT_QUIRK).into_font().color(&color);
        self.draw(&Text::new(text.words().say(self.lang), at(point), font.pos(Pos::new(h, VPos::Center))));
    }

    fn draw<'e, E>(&self, element: &'e E)
    where
        &'e E: plotters::element::PointCollection<'e, (i32, i32)>,
        E: plotters::element::Drawable<SVGBackend<'a>>,
    {
        self.area.draw(element).expect("a string takes everything");
    }
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}
