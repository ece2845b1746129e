//! temporary
pub mod output;
pub mod places;
pub mod settings;
