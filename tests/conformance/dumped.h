/*
 * dumped.h - a dump as a string, and where things stand in indented text.
 */
#ifndef ROOST_TEST_DUMPED_H
#define ROOST_TEST_DUMPED_H

#include "test.h"

/* Dumps into a file, returns what was written. */
TEST_UNUSED static const char *dump_text(void)
{
    static char text[1 << 20];
    FILE *file = tmpfile();
    size_t n;

    CHECK_EQ(roost_dump(fileno(file)), 0);
    rewind(file);
    n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

/* The column of the first letter of the line with this text; -1: none. */
TEST_UNUSED static int indent_of(const char *text, const char *what)
{
    const char *at = strstr(text, what), *line = at;

    if (at == NULL) {
        return -1;
    }
    while (line > text && line[-1] != '\n') {
        line--;
    }
    return (int)strspn(line, " ");
}

#endif
