"""Named schedules: compositions of primitives and combinators."""
