//! Tables and properties of selectors and manifests.

mod label_selector;
mod field_selector;
mod manifest;
