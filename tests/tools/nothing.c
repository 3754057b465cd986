/*
 * nothing.c - a library without anything in it.
 */
extern const int nothing;
const int nothing = 0;
