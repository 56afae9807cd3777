//! Points by two numbers that are to be small.

use unicode_width::UnicodeWidthStr;

use super::axes::{self, nice};
use super::canvas::{Align, BLUE, Canvas, GREY, GRID, INK, MUTED, ORANGE, PAPER, picture};
use crate::text::Lang;

const WIDTH: u32 = 1000;
const HEIGHT: u32 = 560;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 950.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 490.0;
const TEXT: f64 = 13.0;
const RADIUS: f64 = 5.0;
/// Corners of a dot.
const CORNERS: usize = 16;
/// About as many steps on an axis.
const STEPS: f64 = 6.0;
/// Room on an axis for what never comes.
const NEVER: f64 = 70.0;
/// Pixels that a letter of a name takes, about, and the height of a name.
const LETTER: f64 = 7.0;
const NAME_HEIGHT: f64 = 15.0;

/// A dot.
pub(in crate::report) struct Dot {
    /// Its numbers, across and up; infinite = never.
    pub at: (f64, f64),
    /// Its name; only dots with one are named.
    pub name: String,
    /// What it is.
    pub kind: DotKind,
}

/// What a dot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum DotKind {
    /// Others beat it.
    Beaten,
    /// It would be beaten but for the noise.
    Tied,
    /// It is one of the best.
    Best,
}

/// A picture of dots.
pub(in crate::report) struct Scatter {
    /// Its heading.
    pub title: String,
    /// Names of the axes, with units.
    pub axes: (String, String),
    /// The dots.
    pub dots: Vec<Dot>,
}

/// From numbers to pixels.
struct Frame {
    steps: (f64, f64),
    most: (f64, f64),
    /// Where the largest finite numbers stand.
    right: f64,
    top: f64,
}

impl Frame {
    fn of(dots: &[Dot]) -> Self {
        let finite = |number: fn(&Dot) -> f64| dots.iter().map(number).filter(|n| n.is_finite());
        let most = |number| match finite(number).fold(0.0, f64::max) {
            0.0 => 1.0,
            most => most,
        };
        let room = |number| if finite(number).count() < dots.len() { NEVER } else { 0.0 };
        let [x, y]: [fn(&Dot) -> f64; 2] = [|dot| dot.at.0, |dot| dot.at.1];
        let steps = (nice(most(x) / STEPS), nice(most(y) / STEPS));
        let whole = |most: f64, step: f64| (most / step).ceil() * step;
        let most = (whole(most(x), steps.0), whole(most(y), steps.1));
        Self { steps, most, right: RIGHT - room(x), top: TOP + room(y) }
    }

    /// Where numbers stand; what never comes is at the edge.
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = if x.is_finite() { LEFT + (self.right - LEFT) * x / self.most.0 } else { RIGHT };
        let up = if y.is_finite() { BOTTOM - (BOTTOM - self.top) * y / self.most.1 } else { TOP };
        (across, up)
    }
}

/// The picture as SVG. Both axes begin at 0.
pub(in crate::report) fn draw(scatter: &Scatter) -> String {
    let frame = Frame::of(&scatter.dots);
    let mut order: Vec<&Dot> = scatter.dots.iter().collect();
    order.sort_by_key(|dot| dot.kind);
    picture(WIDTH, HEIGHT, Lang::English, |canvas| {
        canvas.text(&scatter.title, (16.0, 24.0), 19.0, INK, Align::Left);
        legend(canvas);
        axes(canvas, scatter, &frame);
        for dot in &order {
            let color = match dot.kind {
                DotKind::Beaten => GREY,
                DotKind::Tied => ORANGE,
                DotKind::Best => BLUE,
            };
            self::dot(canvas, frame.at(dot.at), color);
        }
        names(canvas, &order, &frame);
    })
}

fn legend(canvas: &Canvas) {
    let parts = [(BLUE, "no other is better"), (ORANGE, "tied by noise"), (GREY, "another is better")];
    for (i, (color, text)) in parts.into_iter().enumerate() {
        let x = 22.0 + 170.0 * i as f64;
        dot(canvas, (x, 51.0), color);
        canvas.text(text, (x + 12.0, 51.0), TEXT, MUTED, Align::Left);
    }
}

fn axes(canvas: &Canvas, scatter: &Scatter, frame: &Frame) {
    let ticks =
        |step: f64, most: f64| (0..).map(move |i| f64::from(i) * step).take_while(move |&n| n <= most * 1.000_001);
    let never = |has: bool| has.then_some(f64::INFINITY);
    let is_scale = |number: fn(&Dot) -> f64| scatter.dots.iter().any(|dot| number(dot).is_finite());
    let (across, up) = (is_scale(|dot| dot.at.0), is_scale(|dot| dot.at.1));
    for tick in ticks(frame.steps.0, frame.most.0).filter(|_| across).chain(never(frame.right < RIGHT)) {
        let (x, _) = frame.at((tick, 0.0));
        canvas.line([(x, TOP), (x, BOTTOM)], GRID, 1.0);
        canvas.text(&number(tick, frame.steps.0), (x, BOTTOM + 16.0), TEXT, MUTED, Align::Centre);
    }
    for tick in ticks(frame.steps.1, frame.most.1).filter(|_| up).chain(never(frame.top > TOP)) {
        let (_, y) = frame.at((0.0, tick));
        canvas.line([(LEFT, y), (RIGHT, y)], GRID, 1.0);
        canvas.text(&number(tick, frame.steps.1), (LEFT - 8.0, y), TEXT, MUTED, Align::Right);
    }
    canvas.text(&scatter.axes.0, (RIGHT, BOTTOM + 42.0), TEXT, INK, Align::Right);
    canvas.text(&scatter.axes.1, (LEFT, TOP - 16.0), TEXT, INK, Align::Left);
}

fn number(tick: f64, step: f64) -> String {
    if tick.is_finite() { axes::tick(tick, step) } else { "never".to_owned() }
}

fn dot(canvas: &Canvas, (x, y): (f64, f64), color: plotters::style::RGBColor) {
    for (radius, color) in [(RADIUS + 1.0, PAPER), (RADIUS, color)] {
        let corner = |i: usize| {
            let angle = std::f64::consts::TAU * i as f64 / CORNERS as f64;
            (x + radius * angle.cos(), y + radius * angle.sin())
        };
        canvas.polygon((0..CORNERS).map(corner), color, 1.0);
    }
}

/// A part of the picture: left, top, right, bottom.
type Place = [f64; 4];

/// Names beside their dots, those of the best first, each where it touches nothing; one that has no such place is left out.
fn names(canvas: &Canvas, dots: &[&Dot], frame: &Frame) {
    let around = |dot: &&Dot| {
        let (x, y) = frame.at(dot.at);
        [x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS]
    };
    let mut taken: Vec<Place> = dots.iter().map(around).collect();
    for dot in dots.iter().rev().filter(|dot| !dot.name.is_empty()) {
        let (x, y) = frame.at(dot.at);
        let width = LETTER * dot.name.width() as f64;
        let places = [(9.0, -9.0), (9.0, 9.0), (-9.0 - width, -9.0), (-9.0 - width, 9.0)];
        let places = places.map(|(right, down)| {
            let (left, middle) = (x + right, y + down);
            [left, middle - NAME_HEIGHT / 2.0, left + width, middle + NAME_HEIGHT / 2.0]
        });
        let is_free = |place: &&Place| is_inside(place) && taken.iter().all(|other| !meet(place, other));
        let Some(&place) = places.iter().find(is_free) else { continue };
        taken.push(place);
        canvas.text(&dot.name, (place[0], f64::midpoint(place[1], place[3])), TEXT, INK, Align::Left);
    }
}

fn is_inside(place: &Place) -> bool {
    place[0] >= LEFT && place[2] <= f64::from(WIDTH) && place[3] <= BOTTOM
}

fn meet(a: &Place, b: &Place) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(at: (f64, f64), name: &str) -> Dot {
        Dot { at, name: name.to_owned(), kind: DotKind::Best }
    }

    fn picture(dots: Vec<Dot>) -> String {
        draw(&Scatter { title: String::new(), axes: (String::new(), String::new()), dots })
    }

    #[test]
    fn what_never_comes_stands_at_an_edge() {
        let frame = Frame::of(&[dot((1.0, 5.0), ""), dot((f64::INFINITY, 2.0), "")]);
        assert_eq!(frame.at((f64::INFINITY, 0.0)), (RIGHT, BOTTOM));
        assert!(frame.at((frame.most.0, 0.0)).0 < RIGHT - 50.0 && frame.at((0.0, frame.most.1)).1 == TOP);
        let count = |dots, text: &str| picture(dots).matches(text).count();
        assert_eq!(count(vec![dot((1.0, 1.0), ""), dot((f64::INFINITY, 1.0), "")], "never"), 1);
        assert_eq!(count(vec![dot((1.0, 1.0), "")], "never"), 0);
        assert_eq!(
            count(vec![dot((1.0, f64::INFINITY), "")], "</text>"),
            count(vec![dot((1.0, 1.0), "")], "</text>") - 5
        );
    }

    #[test]
    fn names_do_not_meet() {
        let svg =
            picture(vec![dot((1.0, 1.0), "one name"), dot((1.01, 1.0), "two name"), dot((1.02, 1.0), "three name")]);
        let found = ["one name", "two name", "three name"].map(|name| svg.contains(name));
        assert!(found.iter().filter(|&&is_there| is_there).count() >= 2, "{found:?}");
        let place = [0.0, 0.0, 10.0, 10.0];
        assert!(meet(&place, &[9.0, 9.0, 20.0, 20.0]) && !meet(&place, &[10.0, 0.0, 20.0, 10.0]));
    }
}
