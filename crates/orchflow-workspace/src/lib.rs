//! Floor 2: what a manager does to a project folder: git by hardened calls, project detection.
