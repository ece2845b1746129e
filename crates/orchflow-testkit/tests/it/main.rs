//! The testkit itself: what it builds is what it says.

mod scripts;
