/*
 * pattern.h - the regular expression: compiled once, matched by many tasks,
 * each with a matcher of its own.
 *
 * As grep -P: a line is matched alone and without its newline; $ matches only
 * at its end. In a UTF-8 locale lines are UTF-8, and what is none matches
 * nothing; in the C locale and in 8-bit ones they are bytes.
 */
#ifndef TREEGREP_PATTERN_H
#define TREEGREP_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern;
struct matcher;

/* NULL: the pattern is wrong, or memory is short; stderr says why. Who: the
 * main thread, before the search, after setlocale. */
struct pattern *pattern_new(const char *text, bool ignore_case);
void pattern_free(struct pattern *p);

/* A string that every matching line contains; NULL: none is known. */
const char *pattern_literal(const struct pattern *p, size_t *size);

/* Whether a line is text in this locale. */
bool pattern_is_text(const struct pattern *p, const char *line, size_t n);

/* What one match needs at a time, its own stack for the compiled code
 * included: a task's stack is too small for that. NULL: no memory. */
struct matcher *matcher_new(const struct pattern *p);
void matcher_free(struct matcher *m);

/* 1: the line matches, 0: not, -1: that cannot be told; *why says why, for as
 * long as the matcher lives. Costs at most what PCRE2's match limit allows. */
int matcher_line(struct matcher *m, const char *line, size_t n,
                 const char **why);

#endif
