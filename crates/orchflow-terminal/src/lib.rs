//! Floor 2: terminals: the mux backend, native panes, the output log, the screen model.
