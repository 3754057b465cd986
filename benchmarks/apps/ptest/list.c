/*
 * list.c - see list.h.
 */
#include "list.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/duration.h"

static const char no_memory[] = "no memory";
enum { FIRST_ROOM = 64 };

/* Room for one more at the end, which is cleared; NULL: no memory. */
static struct command *next(struct list *l)
{
    if (l->count == l->room) {
        size_t room = l->room == 0 ? FIRST_ROOM : 2 * l->room;
        struct command *grown = realloc(l->commands, room * sizeof *grown);

        if (grown == NULL) {
            return NULL;
        }
        l->commands = grown;
        l->room = room;
    }
    l->commands[l->count] = (struct command){.timeout = -1};
    return &l->commands[l->count];
}

static void command_free(struct command *c)
{
    free(c->name);
    words_free(&c->words);
    words_free(&c->about);
}

/* NAME=VALUE, as the shell takes it. */
static bool is_assignment(const char *word)
{
    const char *at = word;

    if (*at != '_' && !isalpha((unsigned char)*at)) {
        return false;
    }
    while (*at == '_' || isalnum((unsigned char)*at)) {
        at++;
    }
    return *at == '=';
}

/* One word in the brackets. */
static const char *take_about(struct command *c, const char *word)
{
    if (strncmp(word, "name=", 5) == 0 && word[5] != '\0') {
        free(c->name);
        c->name = strdup(word + 5);
        return c->name == NULL ? no_memory : NULL;
    }
    if (strncmp(word, "dir=", 4) == 0 && word[4] != '\0') {
        c->dir = word + 4;
        return NULL;
    }
    if (strncmp(word, "timeout=", 8) == 0 &&
        duration_read(word + 8, true, &c->timeout)) {
        return NULL;
    }
    if (strcmp(word, "serial") == 0) {
        c->serial = true;
        return NULL;
    }
    return "in [ ] stand name=NAME, dir=DIR, timeout=TIME, serial";
}

/* What stands in brackets at *line, if anything does: "[ -f x ]" is test(1). */
static const char *read_about(struct command *c, const char **line)
{
    const char *wrong;

    if (**line != '[' || isspace((unsigned char)(*line)[1])) {
        return NULL;
    }
    (*line)++;
    wrong = words_split(&c->about, line, ']');
    for (size_t i = 0; i < c->about.n && wrong == NULL; i++) {
        wrong = take_about(c, c->about.v[i]);
    }
    return wrong;
}

static const char *read_line(struct command *c, const char *line)
{
    const char *wrong = read_about(c, &line);

    line += strspn(line, " \t\r");
    if (wrong == NULL && c->name == NULL) {
        size_t n = strlen(line);

        while (n > 0 && isspace((unsigned char)line[n - 1])) {
            n--;
        }
        c->name = strndup(line, n);
        wrong = c->name == NULL ? no_memory : NULL;
    }
    if (wrong == NULL) {
        wrong = words_split(&c->words, &line, '\0');
    }
    if (wrong != NULL) {
        return wrong;
    }
    c->env = c->words.v;
    while (c->env_count < c->words.n && is_assignment(c->env[c->env_count])) {
        c->env_count++;
    }
    c->argv = c->words.v + c->env_count;
    return c->argv[0] == NULL || c->argv[0][0] == '\0' ? "there is no program"
                                                       : NULL;
}

const char *list_add_line(struct list *l, const char *line)
{
    struct command *c = next(l);
    const char *wrong;

    if (c == NULL) {
        return no_memory;
    }
    wrong = read_line(c, line + strspn(line, " \t\r"));
    if (wrong != NULL) {
        command_free(c);
    } else {
        l->count++;
    }
    return wrong;
}

const char *list_add_program(struct list *l, const char *path)
{
    struct command *c = next(l);

    if (path[0] == '\0') {
        return "there is no program";
    }
    if (c == NULL) {
        return no_memory;
    }
    c->name = strdup(path);
    c->words.v = calloc(2, sizeof *c->words.v);
    c->words.text = strdup(path);
    if (c->name == NULL || c->words.v == NULL || c->words.text == NULL) {
        command_free(c);
        return no_memory;
    }
    c->words.v[0] = c->words.text;
    c->words.n = 1;
    c->argv = c->words.v;
    l->count++;
    return NULL;
}

/* n: how long it is; with a NUL in it, it is longer than it seems. */
static const char *add_text(struct list *l, char *line, size_t n)
{
    size_t blank = strspn(line, " \t\r\n");

    if (strlen(line) != n) {
        return "a NUL in a line";
    }
    if (n > 0 && line[n - 1] == '\n') {
        line[n - 1] = '\0';
    }
    return blank == n || line[blank] == '#' ? NULL : list_add_line(l, line);
}

const char *list_add_file(struct list *l, FILE *in, size_t *number)
{
    char *line = NULL;
    size_t room = 0;
    const char *wrong = NULL;
    ssize_t n;

    *number = 0;
    errno = 0;
    while (wrong == NULL && (n = getline(&line, &room, in)) >= 0) {
        ++*number;
        wrong = add_text(l, line, (size_t)n);
    }
    if (wrong == NULL && !feof(in)) {
        *number = 0;
        wrong = strerror(errno);
    }
    free(line);
    return wrong;
}

void list_free(struct list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        command_free(&l->commands[i]);
    }
    free(l->commands);
    *l = (struct list){NULL, 0, 0};
}
