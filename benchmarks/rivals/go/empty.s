// Functions without a body, as in calls.go, need a file of this kind.
