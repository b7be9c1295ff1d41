"""Turn what a user gives, arrays, data sets or image files, into one batch."""
