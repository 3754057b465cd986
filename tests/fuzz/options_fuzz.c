/*
 * options_fuzz.c - what the environment says to a runtime: one variable a line,
 * ROOST_WORKERS, ROOST_SEED, ROOST_BACKEND, ROOST_SIM_STRATEGY, in this order;
 * an empty line: not set. What this file holds to be right must be taken, and
 * nothing else.
 */
#include "fuzz.h"

#include <errno.h>
#include <roost/roost.h>
#include <string.h>

enum { NAMES = 4, LONGEST = 64, FEW_WORKERS = 8 };

static const char *const names[NAMES] = {"ROOST_WORKERS", "ROOST_SEED",
                                         "ROOST_BACKEND", "ROOST_SIM_STRATEGY"};

/* Digits, and no more than max, compared as text. */
static bool is_number(const char *text, const char *max)
{
    size_t n = strspn(text, "0123456789");

    if (n == 0 || text[n] != '\0') {
        return false;
    }
    while (*text == '0' && text[1] != '\0') {
        text++;
        n--;
    }
    return n < strlen(max) || (n == strlen(max) && strcmp(text, max) <= 0);
}

static bool is_strategy(const char *text)
{
    if (strcmp(text, "random") == 0 || strcmp(text, "pct") == 0 ||
        strcmp(text, "bound") == 0) {
        return true;
    }
    if (strncmp(text, "pct:", 4) == 0) {
        return is_number(text + 4, "1000");
    }
    return strncmp(text, "bound:", 6) == 0 && is_number(text + 6, "1000");
}

static bool is_right(unsigned i, const char *text)
{
    switch (i) {
    case 0:
        return is_number(text, "4096") && strtoul(text, NULL, 10) > 0;
    case 1:
        return is_number(text, "18446744073709551615");
    case 2:
        return strcmp(text, "sim") == 0 || strcmp(text, "threads") == 0;
    default:
        return is_strategy(text);
    }
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* The next line, into text; false: too long, or no text. */
static bool next_line(const uint8_t **at, const uint8_t *end, char *text)
{
    size_t n = 0;

    while (*at < end && **at != '\n') {
        if (n == LONGEST - 1 || **at == 0) {
            return false;
        }
        text[n++] = (char)*(*at)++;
    }
    *at += *at < end;
    text[n] = '\0';
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    roost_opts opts = {.backend = ROOST_SIM, .workers = 2};
    const uint8_t *end = data + size;
    bool right = true;
    bool costs = false; /* threads, or many workers: that is for others */

    for (unsigned i = 0; i < NAMES; i++) {
        char text[LONGEST];

        if (!next_line(&data, end, text)) {
            return 0;
        }
        (void)unsetenv(names[i]);
        if (text[0] != '\0') {
            bool is = is_right(i, text);

            (void)setenv(names[i], text, 1);
            right = right && is;
            costs = costs || strcmp(text, "threads") == 0 ||
                    (i == 0 && is && strtoul(text, NULL, 10) > FEW_WORKERS);
        }
    }
    if (!costs) {
        fuzz_check(roost_run(nothing, NULL, &opts) == (right ? 0 : -EINVAL),
                   "the environment was taken for right, or for wrong");
    }
    return 0;
}
