//! CAM policies: the preset catalogue and the evaluation.
