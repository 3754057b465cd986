/*
 * pattern.c - PCRE2, used as GNU grep 3.8 uses it for -P, so that the same
 * lines match.
 */
#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <langinfo.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* The stack of compiled code: where it starts, and how far it may be grown
 * for patterns that recurse. Only what is touched costs memory. */
#define JIT_STACK_START ((size_t)32 * 1024)
#define JIT_STACK_SMALL ((size_t)512 * 1024)
#define JIT_STACK_LARGE ((size_t)64 * 1024 * 1024)

struct pattern {
    pcre2_code *code;
    const uint8_t *tables; /* the locale's; the code points to them */
    const char *literal;   /* the caller's text, or NULL */
    size_t literal_size;
    bool utf8;
    bool no_start[256]; /* bytes with which no character of the locale starts */
};

struct matcher {
    const struct pattern *pattern;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    size_t stack_size;
    char why[80];
};

/* No character in it means anything to PCRE2. */
static bool is_literal(const char *text)
{
    const unsigned char *c;

    for (c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c >= 0x80 || strchr("\\^$.[]|()?*+{}", *c) != NULL) {
            return false;
        }
    }
    return text[0] != '\0';
}

/* In UTF-8 a line may start in the middle of nowhere: those bytes are skipped
 * without asking PCRE2, as grep does. */
static void learn_locale(struct pattern *p)
{
    int byte;

    p->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    for (byte = 0; p->utf8 && byte < 256; byte++) {
        char c = (char)byte;
        mbstate_t state = {0};

        p->no_start[byte] = mbrlen(&c, 1, &state) == (size_t)-1;
    }
}

static void complain(int error)
{
    PCRE2_UCHAR words[256];

    pcre2_get_error_message(error, words, sizeof words);
    fprintf(stderr, "treegrep: %s\n", (const char *)words);
}

/* 0 or a PCRE2 error. */
static int compile(struct pattern *p, const char *text, bool ignore_case)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    uint32_t flags = PCRE2_DOLLAR_ENDONLY;
    PCRE2_SIZE where;
    int error = PCRE2_ERROR_NOMEMORY;

    flags |= ignore_case ? PCRE2_CASELESS : 0;
    flags |= p->utf8 ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF : 0;
    p->tables = pcre2_maketables(NULL);
    if (context != NULL && p->tables != NULL) {
        pcre2_set_character_tables(context, p->tables);
        p->code = pcre2_compile((PCRE2_SPTR)text, strlen(text), flags, &error,
                                &where, context);
    }
    pcre2_compile_context_free(context);
    return p->code == NULL ? error : 0;
}

struct pattern *pattern_new(const char *text, bool ignore_case)
{
    struct pattern *p;
    int error;

    if (strchr(text, '\n') != NULL) {
        fprintf(stderr, "treegrep: a pattern is one line\n");
        return NULL;
    }
    if (MB_CUR_MAX > 1 && strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        fprintf(stderr, "treegrep: this locale is neither UTF-8 nor 8-bit\n");
        return NULL;
    }
    p = calloc(1, sizeof *p);
    if (p == NULL) {
        fprintf(stderr, "treegrep: out of memory\n");
        return NULL;
    }
    learn_locale(p);
    error = compile(p, text, ignore_case);
    if (error != 0) {
        complain(error);
        pattern_free(p);
        return NULL;
    }
    /* Where it cannot be compiled to machine code it is interpreted. */
    (void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
    if (!ignore_case && is_literal(text)) {
        p->literal = text;
        p->literal_size = strlen(text);
    }
    return p;
}

void pattern_free(struct pattern *p)
{
    if (p != NULL) {
        pcre2_code_free(p->code);
        pcre2_maketables_free(NULL, p->tables);
        free(p);
    }
}

const char *pattern_literal(const struct pattern *p, size_t *size)
{
    *size = p->literal_size;
    return p->literal;
}

bool pattern_is_text(const struct pattern *p, const char *line, size_t n)
{
    const char *end = line + n;
    mbstate_t state = {0};

    while (p->utf8 && line < end) {
        size_t length = 1;

        if ((unsigned char)*line >= 0x80) {
            length = mbrlen(line, (size_t)(end - line), &state);
        }
        if (length > (size_t)(end - line)) {
            return false;
        }
        line += length;
    }
    return true;
}

static int set_stack(struct matcher *m, size_t size)
{
    pcre2_jit_stack *stack =
        pcre2_jit_stack_create(JIT_STACK_START, size, NULL);

    if (stack == NULL) {
        return -1;
    }
    pcre2_jit_stack_assign(m->context, NULL, stack);
    pcre2_jit_stack_free(m->stack);
    m->stack = stack;
    m->stack_size = size;
    return 0;
}

struct matcher *matcher_new(const struct pattern *p)
{
    struct matcher *m = calloc(1, sizeof *m);

    if (m == NULL) {
        return NULL;
    }
    m->pattern = p;
    m->context = pcre2_match_context_create(NULL);
    m->data = pcre2_match_data_create(1, NULL);
    if (m->context == NULL || m->data == NULL ||
        set_stack(m, JIT_STACK_SMALL) != 0) {
        matcher_free(m);
        return NULL;
    }
    return m;
}

void matcher_free(struct matcher *m)
{
    if (m != NULL) {
        pcre2_match_data_free(m->data);
        pcre2_match_context_free(m->context);
        pcre2_jit_stack_free(m->stack);
        free(m);
    }
}

static int explain(struct matcher *m, int error, const char **why)
{
    *why = m->why;
    switch (error) {
    case PCRE2_ERROR_NOMEMORY:
        *why = "memory exhausted";
        break;
    case PCRE2_ERROR_JIT_STACKLIMIT:
        *why = "exhausted PCRE JIT stack";
        break;
    case PCRE2_ERROR_MATCHLIMIT:
        *why = "exceeded PCRE's backtracking limit";
        break;
    case PCRE2_ERROR_DEPTHLIMIT:
        *why = "exceeded PCRE's nested backtracking limit";
        break;
    case PCRE2_ERROR_RECURSELOOP:
        *why = "PCRE detected recurse loop";
        break;
    case PCRE2_ERROR_HEAPLIMIT:
        *why = "exceeded PCRE's heap limit";
        break;
    default:
        snprintf(m->why, sizeof m->why, "internal PCRE error: %d", error);
        break;
    }
    return -1;
}

int matcher_line(struct matcher *m, const char *line, size_t n,
                 const char **why)
{
    const char *end = line + n;
    uint32_t flags = 0;
    int rc;

    while (line < end && m->pattern->no_start[(unsigned char)*line]) {
        line++;
        flags = PCRE2_NOTBOL;
    }
    do {
        rc = pcre2_match(m->pattern->code, (PCRE2_SPTR)line,
                         (PCRE2_SIZE)(end - line), 0, flags, m->data,
                         m->context);
    } while (rc == PCRE2_ERROR_JIT_STACKLIMIT &&
             m->stack_size < JIT_STACK_LARGE &&
             set_stack(m, m->stack_size * 2) == 0);
    if (rc == PCRE2_ERROR_NOMATCH) {
        return 0;
    }
    /* 0 means that there were more groups than the one that is kept. */
    return rc >= 0 ? 1 : explain(m, rc, why);
}
