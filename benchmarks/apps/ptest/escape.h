/*
 * escape.h - text of any bytes as text that a reader of XML or TAP takes.
 */
#ifndef PTEST_ESCAPE_H
#define PTEST_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* In both of these, what is no UTF-8 and what XML does not allow becomes \xNN:
 * nothing is lost, and control sequences do nothing. */

/* As text of an element or, between double quotes, of an attribute. */
void escape_xml(FILE *out, const char *text, size_t n);
/* As comments of TAP: "# " before each line. */
void escape_comment(FILE *out, const char *text, size_t n);
/* As a description in TAP, on one line. */
void escape_description(FILE *out, const char *text, size_t n);

#endif
