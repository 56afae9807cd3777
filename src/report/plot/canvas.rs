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

/// How a line is drawn: pixels that are, and those that are not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Dash {
    /// All of it.
    Solid,
    /// Long dashes.
    Dashed,
    /// Short ones.
    Dotted,
}

impl Dash {
    /// One after the other for lines that share a colour.
    pub(super) const ALL: [Self; 3] = [Self::Solid, Self::Dashed, Self::Dotted];
}

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

    /// A line through points, with gaps if it is dashed.
    pub(super) fn stroke(&self, points: impl IntoIterator<Item = (f64, f64)>, color: RGBColor, width: f64, dash: Dash) {
        let (on, off) = match dash {
            Dash::Solid => return self.line(points, color, width),
            Dash::Dashed => (9.0, 5.0),
            Dash::Dotted => (2.5, 4.0),
        };
        dashes(&points.into_iter().collect::<Vec<_>>(), on, off)
            .into_iter()
            .for_each(|dash| self.line(dash, color, width));
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

/// Pieces of a line through points: `on` pixels each, with `off` pixels between them.
fn dashes(points: &[(f64, f64)], on: f64, off: f64) -> Vec<Vec<(f64, f64)>> {
    let mut dashes: Vec<Vec<(f64, f64)>> = Vec::new();
    let (mut is_on, mut left) = (true, on);
    dashes.extend(points.first().map(|&start| vec![start]));
    for (&from, &to) in points.iter().zip(points.iter().skip(1)) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let part = done / length;
            let point = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            match (is_on, dashes.last_mut()) {
                (true, Some(dash)) => dash.push(point),
                _ => dashes.push(vec![point]),
            }
            is_on = !is_on;
            left = if is_on { on } else { off };
        }
        left -= length - done;
        if let (true, Some(dash)) = (is_on, dashes.last_mut()) {
            dash.push(to);
        }
    }
    dashes
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashed_line_has_gaps_and_goes_round_corners() {
        let found = dashes(&[(0.0, 0.0), (6.0, 0.0), (6.0, 6.0)], 4.0, 1.0);
        let right =
            [vec![(0.0, 0.0), (4.0, 0.0)], vec![(5.0, 0.0), (6.0, 0.0), (6.0, 3.0)], vec![(6.0, 4.0), (6.0, 6.0)]];
        assert_eq!(found, right);
        assert_eq!(dashes(&[], 4.0, 1.0), [] as [Vec<(f64, f64)>; 0]);
    }
}
