//! A drawing for a PDF: numbers that grow in steps, and moments at which people acted.

use pdf_writer::Content;

/// Height of the drawing with its words, in points.
pub const HEIGHT: f32 = 190.0;

/// Room at the left for numbers, below for times, above for the moments.
const LEFT: f32 = 30.0;
const BELOW: f32 = 16.0;
const ABOVE: f32 = 26.0;

/// A number in steps: times and the number from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// What it counts.
    pub label: String,
    /// Times in milliseconds, ascending.
    pub steps: Vec<(i64, usize)>,
}

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// Its beginning and its end, milliseconds.
    pub span: (i64, i64),
    /// The largest number.
    pub most: usize,
    /// Curves; each has a dash pattern of its own, so that a copy without colours is read too.
    pub curves: Vec<Curve>,
    /// Moments with a short word.
    pub moments: Vec<(i64, String)>,
    /// Times along the axis with their words.
    pub ticks: Vec<(i64, String)>,
}

/// A word of the drawing and where it stands.
pub struct Word {
    /// The text.
    pub text: String,
    /// Its left edge and its baseline, points.
    pub at: (f32, f32),
    /// Font size.
    pub size: f32,
}

/// Dashes of the curves: on, off, width of the line.
const LINES: [(f32, f32, f32); 4] = [(0.0, 0.0, 1.0), (0.0, 0.0, 2.2), (5.0, 2.0, 1.6), (1.5, 2.0, 1.2)];

// === impl Timeline ===

impl Timeline {
    #[expect(clippy::cast_precision_loss, reason = "a drawing has no milliseconds")]
    fn x(&self, at: i64, (left, width): (f32, f32)) -> f32 {
        let span = (self.span.1 - self.span.0).max(1) as f32;
        left + width * ((at - self.span.0) as f32 / span).clamp(0.0, 1.0)
    }

    /// Draws it into a rectangle: left, bottom, width, height. Returns its words, which the caller sets.
    #[expect(clippy::cast_precision_loss, reason = "a drawing has no single gateways")]
    pub fn draw(&self, page: &mut Content, (left, bottom, width, height): (f32, f32, f32, f32)) -> Vec<Word> {
        let (inner, foot) = ((left + LEFT, width - LEFT - 4.0), bottom + BELOW);
        let high = height - BELOW - ABOVE;
        let y = |count: usize| foot + high * (count as f32 / self.most.max(1) as f32).min(1.0);
        let mut words = Vec::new();
        page.save_state().set_line_width(0.5).rect(inner.0, foot, inner.1, high).stroke();
        for count in [0, self.most] {
            words.push(Word { text: count.to_string(), at: (left, y(count) - 3.0), size: 7.0 });
        }
        for (at, text) in &self.ticks {
            let x = self.x(*at, inner);
            page.move_to(x, foot).line_to(x, foot - 3.0).stroke();
            words.push(Word { text: text.clone(), at: ((x - 14.0).max(left), foot - 11.0), size: 6.5 });
        }
        self.moments(page, (inner, foot, high), &mut words);
        for (curve, (on, off, thick)) in self.curves.iter().zip(LINES) {
            page.set_line_width(thick);
            page.set_dash_pattern(if on > 0.0 { vec![on, off] } else { Vec::new() }, 0.0);
            let mut last = y(0);
            page.move_to(inner.0, last);
            for (at, count) in &curve.steps {
                let x = self.x(*at, inner);
                page.line_to(x, last);
                last = y(*count);
                page.line_to(x, last);
            }
            page.line_to(inner.0 + inner.1, last).stroke();
        }
        self.legend(page, (left, bottom + height), &mut words);
        page.restore_state();
        words
    }

    /// Moments as thin lines; their words in two rows, so that neighbours can be read.
    fn moments(
        &self,
        page: &mut Content,
        (inner, foot, high): ((f32, f32), f32, f32),
        words: &mut Vec<Word>,
    ) {
        page.set_line_width(0.3).set_dash_pattern([2.0, 2.0], 0.0);
        let mut free = [f32::MIN; 2];
        for (at, text) in &self.moments {
            let x = self.x(*at, inner);
            page.move_to(x, foot).line_to(x, foot + high).stroke();
            let wide = text.chars().map(|c| if c.is_ascii() { 3.4 } else { 6.5 }).sum::<f32>();
            let start = x.min(inner.0 + inner.1 - wide);
            let Some(row) = (0..free.len()).find(|row| free[*row] <= start) else { continue };
            free[row] = start + wide + 4.0;
            let lift = if row == 0 { 2.0 } else { 10.0 };
            words.push(Word { text: text.clone(), at: (start, foot + high + lift), size: 6.5 });
        }
        page.set_dash_pattern(Vec::<f32>::new(), 0.0);
    }

    fn legend(&self, page: &mut Content, (left, top): (f32, f32), words: &mut Vec<Word>) {
        let mut x = left + LEFT;
        for (curve, (on, off, thick)) in self.curves.iter().zip(LINES) {
            page.set_line_width(thick);
            page.set_dash_pattern(if on > 0.0 { vec![on, off] } else { Vec::new() }, 0.0);
            page.move_to(x, top - 3.0).line_to(x + 22.0, top - 3.0).stroke();
            words.push(Word { text: curve.label.clone(), at: (x + 26.0, top - 6.0), size: 8.0 });
            x += 34.0 + curve.label.chars().map(|c| if c.is_ascii() { 4.0 } else { 8.0 }).sum::<f32>();
        }
    }
}
