//! Two texts line by line: what is gone, what is new, with a few lines around.

/// Lines shown around a change.
const AROUND: usize = 2;
/// Larger differences are shown as all lines gone and all lines new: looking for what they share would take too long.
const MOST_CELLS: usize = 4_000_000;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Same,
    Gone,
    New,
}

/// The difference of two texts, for people: lines with `-` are gone, with `+` new, others are around them. Empty where
/// the texts are the same.
pub fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let changes = changes(&before, &after);
    let near = |i: usize| {
        let stretch = i.saturating_sub(AROUND)..(i + AROUND + 1).min(changes.len());
        changes[stretch].iter().any(|(change, _)| *change != Change::Same)
    };
    let mut out = String::new();
    let (mut line, mut left_out) = (1, false);
    for (i, (change, text)) in changes.iter().enumerate() {
        if near(i) {
            if left_out || i == 0 {
                out += &format!("@ line {line}\n");
            }
            let sign = match change {
                Change::Same => ' ',
                Change::Gone => '-',
                Change::New => '+',
            };
            out += &format!("{sign} {text}\n");
            left_out = false;
        } else {
            left_out = true;
        }
        if *change != Change::New {
            line += 1;
        }
    }
    out
}

/// What became of each line, between what both texts begin and end with, by their longest common run of lines.
fn changes<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<(Change, &'a str)> {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (a, b) = (&before[head..before.len() - tail], &after[head..after.len() - tail]);
    let as_is =
        |change: Change, lines: &[&'a str]| lines.iter().map(|line| (change, *line)).collect::<Vec<_>>();
    let mut all = as_is(Change::Same, &before[..head]);
    if a.len().saturating_mul(b.len()) > MOST_CELLS {
        all.extend(as_is(Change::Gone, a));
        all.extend(as_is(Change::New, b));
    } else {
        // The length of the longest run of the lines from i and j on.
        let width = b.len() + 1;
        let mut longest = vec![0_u32; (a.len() + 1) * width];
        for i in (0..a.len()).rev() {
            for j in (0..b.len()).rev() {
                let (down, right) = (longest[(i + 1) * width + j], longest[i * width + j + 1]);
                longest[i * width + j] =
                    if a[i] == b[j] { longest[(i + 1) * width + j + 1] + 1 } else { down.max(right) };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < a.len() || j < b.len() {
            if i < a.len() && j < b.len() && a[i] == b[j] {
                all.push((Change::Same, a[i]));
                (i, j) = (i + 1, j + 1);
            } else if j == b.len()
                || (i < a.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1])
            {
                all.push((Change::Gone, a[i]));
                i += 1;
            } else {
                all.push((Change::New, b[j]));
                j += 1;
            }
        }
    }
    all.extend(as_is(Change::Same, &before[before.len() - tail..]));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_changed_with_what_is_around() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        for (after, expected) in [
            (before, ""),
            ("a\nb\nc\nd\nE\nf\ng\nh\n", "@ line 3\n  c\n  d\n- e\n+ E\n  f\n  g\n"),
            ("b\nc\nd\ne\nf\ng\nh\ni\n", "@ line 1\n- a\n  b\n  c\n@ line 7\n  g\n  h\n+ i\n"),
            ("a\nb\nc\nx\ny\nd\ne\nf\ng\nh\n", "@ line 2\n  b\n  c\n+ x\n+ y\n  d\n  e\n"),
        ] {
            assert_eq!(difference(before, after), expected, "{after}");
        }
        assert_eq!(difference("", "a\n"), "@ line 1\n+ a\n");
        assert_eq!(difference("a\n", ""), "@ line 1\n- a\n");
    }

    #[test]
    fn two_long_texts_without_a_common_line_are_replaced_as_a_whole() {
        let text = |word: &str| (0..3000).map(|i| format!("{word} {i}\n")).collect::<String>();
        let difference = difference(&text("old"), &text("new"));
        assert_eq!(difference.lines().count(), 1 + 6000);
        assert!(difference.starts_with("@ line 1\n- old 0\n"), "{}", &difference[..40]);
    }
}
