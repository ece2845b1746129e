//! Real children: how they are born, how they end, what is left of them.

mod process;
