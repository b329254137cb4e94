"""Named schedules of the literature and of other libraries, as compositions of primitives and combinators."""
