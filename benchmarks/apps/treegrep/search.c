/*
 * search.c - block by block, line by line, as GNU grep 3.8 does it.
 *
 * A line that is cut by the end of a block is moved to the front of the buffer,
 * which grows if it must. A file with a NUL is binary from the block on in
 * which the first NUL stands: NULs then end lines, no line is shown, and the
 * search ends with the first match, unless lines are counted. Blocks are as
 * large as those of grep, so that the same files are binary from the same line
 * on, as long as lines are shorter than a page.
 */
#include "search.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <roost/roost.h>

#define BLOCK_SIZE ((size_t)96 * 1024)
#define HAND_OVER ((size_t)256 * 1024) /* more than that is handed over early */

struct search *search_new(const struct options *o, const struct pattern *p)
{
    struct search *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return NULL;
    }
    s->options = o;
    s->pattern = p;
    s->matcher = matcher_new(p);
    s->buffer_size = BLOCK_SIZE + 1;
    s->buffer = malloc(s->buffer_size);
    if (s->matcher == NULL || s->buffer == NULL) {
        search_free(s);
        return NULL;
    }
    return s;
}

void search_free(struct search *s)
{
    if (s != NULL) {
        pieces_free(&s->pieces);
        matcher_free(s->matcher);
        input_destroy(&s->input);
        free(s->buffer);
        free(s);
    }
}

void search_drop(void *item)
{
    search_free(*(struct search **)item);
}

static void break_off(struct search *s, const char *why)
{
    pieces_error(&s->pieces, s->path, why);
    s->broken = true;
    s->stop = true;
}

static void lack_memory(struct search *s)
{
    char words[ERROR_WORDS_SIZE];

    break_off(s, error_words(ENOMEM, words));
}

/* Counts the lines up to the one that begins at line, which has not been
 * counted before. Its number. */
static uint64_t count_lines(struct search *s, const char *line)
{
    const char *p = s->counted_to;

    while (p < line) {
        p = (const char *)memchr(p, '\n', (size_t)(line - p)) + 1;
        s->number++;
    }
    s->counted_to = line;
    return s->number + 1;
}

/* Adds "PATH:NUMBER:TEXT\n" to the pieces, or less, as the options say. */
static void add_line(struct search *s, const char *text, size_t n,
                     const char *number)
{
    bool show_file = s->options->show_file || s->options->names;
    size_t path = show_file ? strlen(s->path) : 0;
    size_t digits = strlen(number);
    size_t all = path + 1 + digits + 1 + n + 1;
    char *to = pieces_room(&s->pieces, STDOUT_FILENO, all);
    char *start = to;

    if (to == NULL) {
        lack_memory(s);
        return;
    }
    if (show_file) {
        memcpy(to, s->path, path);
        to += path;
        *to++ = s->options->names ? '\n' : ':';
    }
    if (digits > 0) {
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes */
        memcpy(to, number, digits);
        to += digits;
        *to++ = ':';
    }
    if (!s->options->names) {
        memcpy(to, text, n);
        to += n;
        *to++ = '\n';
    }
    pieces_add(&s->pieces, (size_t)(to - start));
    s->pieces.last->matched = s->pieces.last->matched || s->matches > 0;
    s->pieces.last->lines++;
}

static void show_match(struct search *s, const char *line, size_t n)
{
    char number[24] = "";

    if (!pattern_is_text(s->pattern, line, n)) {
        s->not_text = true;
        return;
    }
    if (s->options->line_numbers) {
        snprintf(number, sizeof number, "%" PRIu64, count_lines(s, line));
    }
    add_line(s, line, n, number);
    s->shown++;
    s->stop = s->stop || s->shown == s->options->first;
}

static void take_match(struct search *s, const char *line, size_t n)
{
    s->matches++;
    if (s->options->names) {
        add_line(s, "", 0, "");
        s->stop = true;
    } else if (s->options->count) {
        return;
    } else if (s->matches_before_nul >= 0) {
        s->stop = true;
    } else {
        show_match(s, line, n);
    }
}

/* Where the first line begins that may match; end if none does. */
static const char *skip_lines(const struct search *s, const char *line,
                              const char *end)
{
    size_t n;
    const char *literal = pattern_literal(s->pattern, &n);
    const char *found;

    if (literal == NULL) {
        return line;
    }
    found = memmem(line, (size_t)(end - line), literal, n);
    if (found == NULL) {
        return end;
    }
    found = memrchr(line, '\n', (size_t)(found - line));
    return found == NULL ? line : found + 1;
}

/* Whole lines, the last one with its newline. 0 or -ECANCELED. */
static int search_lines(struct search *s, const char *line, const char *end)
{
    while (!s->stop && (line = skip_lines(s, line, end)) < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        const char *why;
        int rc = matcher_line(s->matcher, line, (size_t)(stop - line), &why);

        if (rc > 0) {
            take_match(s, line, (size_t)(stop - line));
        } else if (rc < 0) {
            break_off(s, why);
        }
        if (roost_cancelled()) {
            return -ECANCELED;
        }
        if (s->pieces.held > HAND_OVER && s->hand_over(s, s->ctx) < 0) {
            return -ECANCELED;
        }
        line = stop + 1;
    }
    return 0;
}

/* Looks for the first NUL, in a block that is not yet known to be binary. */
static void look_for_nul(struct search *s, const char *block, size_t n,
                         bool first)
{
    if (s->matches_before_nul < 0 &&
        (memchr(block, '\0', n) != NULL ||
         (first && input_has_hole(&s->input, n)))) {
        s->matches_before_nul = (int64_t)s->matches;
    }
}

static void end_lines_at_nul(char *block, size_t n)
{
    char *end = block + n;
    char *p = block;

    while ((p = memchr(p, '\0', (size_t)(end - p))) != NULL) {
        *p++ = '\n';
    }
}

/* Room for a block behind the rest of the line, and a newline behind that.
 * 0 or -ENOMEM. */
static int make_room(struct search *s, size_t rest)
{
    size_t size = s->buffer_size;
    char *grown;

    if (rest + BLOCK_SIZE + 1 <= size) {
        return 0;
    }
    grown = realloc(s->buffer, size * 2);
    if (grown == NULL) {
        return -ENOMEM;
    }
    s->buffer = grown;
    s->buffer_size = size * 2;
    return 0;
}

/* Searches what a block completes; the rest of it, which is no whole line, is
 * moved to the front. 0 or -ECANCELED. */
static int search_block(struct search *s, size_t *rest, size_t n)
{
    char *block = s->buffer + *rest;
    char *end = block + n;
    char *last;
    int rc = 0;

    if (s->matches_before_nul >= 0) {
        end_lines_at_nul(block, n);
    }
    last = memrchr(block, '\n', n);
    if (last == NULL) {
        *rest += n;
        return 0;
    }
    s->counted_to = s->buffer;
    rc = search_lines(s, s->buffer, last + 1);
    if (rc == 0 && s->options->line_numbers && !s->stop) {
        count_lines(s, last + 1);
    }
    *rest = (size_t)(end - last) - 1;
    memmove(s->buffer, last + 1, *rest);
    return rc;
}

static int search_blocks(struct search *s)
{
    size_t rest = 0;
    bool first = true;
    int rc = 0;

    while (rc == 0 && !s->stop) {
        ssize_t n;

        if (make_room(s, rest) != 0) {
            lack_memory(s);
            return 0;
        }
        n = input_read(&s->input, s->buffer + rest, BLOCK_SIZE);
        if (n <= 0) {
            break;
        }
        if (!first && s->hand_over(s, s->ctx) < 0) {
            return -ECANCELED;
        }
        look_for_nul(s, s->buffer + rest, (size_t)n, first);
        first = false;
        rc = search_block(s, &rest, (size_t)n);
        if (rc == 0) {
            rc = roost_checkpoint();
        }
    }
    if (rc == 0 && !s->stop && rest > 0) {
        s->buffer[rest] = '\n';
        s->counted_to = s->buffer;
        rc = search_lines(s, s->buffer, s->buffer + rest + 1);
    }
    return rc;
}

/* What is said of the whole file, after its lines. */
static void sum_up(struct search *s)
{
    const struct options *o = s->options;
    bool binary = s->not_text || (s->matches_before_nul >= 0 &&
                                  s->matches_before_nul < (int64_t)s->matches);
    char count[24];

    if (o->count) {
        int n = snprintf(count, sizeof count, "%" PRIu64, s->matches);

        add_line(s, count, (size_t)n, "");
    } else if (binary && !o->names) {
        if (pieces_notice(&s->pieces, s->path, "binary file matches") != 0) {
            lack_memory(s);
        } else {
            s->pieces.last->matched = true;
        }
    }
    if (s->input.problem != NULL && !s->stop) {
        break_off(s, s->input.problem);
    }
}

/* A file of one line must not keep its memory until the end. */
static void shrink(struct search *s)
{
    char *smaller;

    if (s->buffer_size > 8 * BLOCK_SIZE) {
        smaller = realloc(s->buffer, BLOCK_SIZE + 1);
        if (smaller != NULL) {
            s->buffer = smaller;
            s->buffer_size = BLOCK_SIZE + 1;
        }
    }
}

int search_file(struct search *s, const char *path)
{
    int rc;

    s->path = path;
    s->matches = 0;
    s->shown = 0;
    s->number = 0;
    s->matches_before_nul = -1;
    s->not_text = false;
    s->stop = false;
    s->broken = false;
    s->pieces.line_each = s->options->first > 0;
    rc = search_blocks(s);
    if (rc == 0) {
        sum_up(s);
    }
    shrink(s);
    return rc;
}
