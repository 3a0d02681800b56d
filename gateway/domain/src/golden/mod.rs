//! Golden tests of the words and values that stand in several forms.

mod values;
