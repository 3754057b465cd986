/*
 * ps.c - roost-ps: the scopes and tasks of a process, or of a core, with the
 * place in the program where each task waits. See docs/man/roost-ps.1.
 */
#include "observe/tools/tree.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

const char *argp_program_version = "roost-ps " ROOST_TOOLS_VERSION;

struct arguments {
    struct tree_options tree;
    const char *what;
};

static const struct argp_option options[] = {
    {"quick", 'q', NULL, 0, "no backtraces", 0},
    {"all", 'a', NULL, 0, "every frame, also the library's own", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

/* NOLINTNEXTLINE(readability-non-const-parameter): as argp declares it */
static error_t take(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;

    switch (key) {
    case 'q':
        a->tree.stacks = false;
        return 0;
    case 'a':
        a->tree.whole = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->what != NULL) {
            argp_error(state, "one process or core at a time");
        }
        a->what = text;
        return 0;
    case ARGP_KEY_END:
        if (a->what == NULL) {
            argp_error(state, "which process or core?");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp parser = {
        options,    take,
        "PID|CORE", "The scopes and tasks of a program that uses roost.",
        NULL,       NULL,
        NULL};
    struct arguments a = {{true, false}, NULL};
    struct target target;
    bool ok;

    argp_parse(&parser, argc, argv, 0, NULL, &a);
    if (!target_open(&target, a.what)) {
        return EXIT_FAILURE;
    }
    ok = target_stop(&target);
    if (ok) {
        tree_print(&target, &a.tree);
    }
    target_close(&target);
    return ok && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
