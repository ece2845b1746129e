//! temporary
pub mod places;
pub mod settings;
pub mod output;
