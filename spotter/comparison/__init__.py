"""Methods side by side on sets with known truth."""
