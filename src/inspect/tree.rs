//! The trees that terway-cli prints.

/// A line of a tree: how deep it lies, from 0, and its text.
pub type Line = (usize, String);

/// Draws trees as pterm's `DefaultTree` does (rules B18, B24, B28): a line of level 0 hangs on a root
/// that is not drawn, and children are two columns further in.
#[must_use]
pub fn draw(lines: &[Line]) -> String {
    let mut text = String::new();
    branch(lines, 0, "", &mut text);
    text
}

/// Draws the lines of a level, which begin at the first of `lines`, with what lies below them.
fn branch(mut lines: &[Line], level: usize, indent: &str, text: &mut String) {
    while let Some(((_, name), rest)) = lines.split_first() {
        let below = rest.iter().position(|(other, _)| *other <= level).unwrap_or(rest.len());
        let (children, after) = rest.split_at(below);
        let (corner, further) = if after.is_empty() { ('└', "  ") } else { ('├', "│ ") };
        let stem = if children.is_empty() { "──" } else { "─┬" };
        *text += &format!("{indent}{corner}{stem}{name}\n");
        branch(children, level + 1, &format!("{indent}{further}"), text);
        lines = after;
    }
}

#[cfg(test)]
mod tests {
    use super::draw;

    fn lines(of: &[(usize, &str)]) -> Vec<super::Line> {
        of.iter().map(|&(level, text)| (level, text.to_owned())).collect()
    }

    /// B18, B24: the layouts that were verified with the real library.
    #[test]
    fn b24_layout_of_a_tree() {
        let metadata = lines(&[
            (0, "vswitch: vsw-a"),
            (1, "eni: m0"),
            (2, "primary: true"),
            (2, "interface: eth0"),
            (2, "primary_ipv4: 10.0.0.130"),
            (1, "eni: m1"),
            (2, "primary: false"),
            (2, "interface: eth1"),
            (2, "primary_ipv4: 10.0.0.134"),
            (2, "secondary_ipv4s"),
            (3, "10.0.0.136"),
            (3, "10.0.0.137"),
        ]);
        let drawn = "\
└─┬vswitch: vsw-a
  ├─┬eni: m0
  │ ├──primary: true
  │ ├──interface: eth0
  │ └──primary_ipv4: 10.0.0.130
  └─┬eni: m1
    ├──primary: false
    ├──interface: eth1
    ├──primary_ipv4: 10.0.0.134
    └─┬secondary_ipv4s
      ├──10.0.0.136
      └──10.0.0.137
";
        assert_eq!(draw(&metadata), drawn);
        let shown = lines(&[(0, ""), (1, "name: eniip"), (1, "eni"), (2, "m"), (3, "pending: 0")]);
        let drawn = "└─┬\n  ├──name: eniip\n  └─┬eni\n    └─┬m\n      └──pending: 0\n";
        assert_eq!(draw(&shown), drawn);
    }
}
