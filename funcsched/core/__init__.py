"""What every schedule is: an immutable value, validated arguments, a function of the step."""
