"""What records say: comparisons, groups, raters, findings, figures."""
