//! Steps that fail, files of older and newer versions.
