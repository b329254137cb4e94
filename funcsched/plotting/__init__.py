"""Pictures of schedules: files, notebooks and terminals."""
