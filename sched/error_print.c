/*
 * error_print.c - a tree of failures as text, a node a line:
 *
 *     group "page": ECONNREFUSED (-111)
 *         2 more, not kept
 *         ECONNREFUSED (-111) in task "user": port 80
 *         group "orders" of task "orders": EIO (-5)
 *             EIO (-5) in task "read"
 *
 * Control characters in names and messages are shown as \xNN, so that a line
 * stays a line and a terminal what it was. SEE error_tree.h.
 */
#include "error_tree.h"

#include <errno.h>
#include <string.h>

#define INDENT 4
#define INDENTED_MAX 20 /* deeper nodes say how deep they are instead */

static void print_text(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < ' ' || c == 127) {
            fprintf(out, "\\x%02x", c);
        } else {
            putc(c, out);
        }
    }
}

static void print_named(const char *what, const char *name, FILE *out)
{
    if (name[0] != '\0') {
        fprintf(out, " %s\"", what);
        print_text(name, out);
        putc('"', out);
    }
}

static void print_status(int status, FILE *out)
{
    const char *name = status > -4096 ? strerrorname_np(-status) : NULL;

    if (name != NULL) {
        fprintf(out, "%s (%d)", name, status);
    } else if (status <= ROOST_USER(0)) {
        fprintf(out, "user status %d", ROOST_USER(0) - status);
    } else {
        fprintf(out, "status %d", status);
    }
}

static void print_indent(unsigned depth, FILE *out)
{
    if (depth <= INDENTED_MAX) {
        fprintf(out, "%*s", (int)depth * INDENT, "");
    } else {
        fprintf(out, "%*s[%u] ", INDENTED_MAX * INDENT, "", depth);
    }
}

static void print_group(const struct error_group *g, unsigned depth, FILE *out)
{
    fputs("group", out);
    print_named("", g->scope, out);
    print_named("of task ", g->node.task, out);
    fputs(": ", out);
    print_status(g->node.status, out);
    putc('\n', out);
    if (g->dropped > 0) {
        print_indent(depth + 1, out);
        fprintf(out, "%zu more, not kept\n", g->dropped);
    }
}

static void print_leaf(const roost_errors *leaf, FILE *out)
{
    print_status(leaf->status, out);
    print_named("in task ", leaf->task, out);
    if (leaf->message[0] != '\0') {
        fputs(": ", out);
        print_text(leaf->message, out);
    }
    putc('\n', out);
}

int roost_errors_print(const roost_errors *e, FILE *out)
{
    unsigned depth = 0;

    if (out == NULL) {
        return -EINVAL;
    }
    for (const roost_errors *n = e; n != NULL; n = error_step(n, &depth)) {
        print_indent(depth, out);
        if (error_is_group(n)) {
            print_group(error_group_in(n), depth, out);
        } else {
            print_leaf(n, out);
        }
        if (ferror(out)) {
            return -EIO;
        }
    }
    return 0;
}
