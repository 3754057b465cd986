/*
 * program.c - see program.h.
 */
#include "program.h"

#include <roost/scope.h>

#include <roost/run.h>
#include <string.h>

static const struct {
    const char *name;
    int block;
    unsigned weight;
    const char *text;
} codes[CODES] = {
#define OP(name, function, block, weight, text) {#name, block, weight, text},
#include "ops.def"
#undef OP
};

unsigned program_workers(const struct program *p)
{
    return 1 + p->head[0] % 4;
}

unsigned program_flags(const struct program *p)
{
    static const unsigned flags[] = {0, 0, ROOST_SIM_PCT, ROOST_SIM_BOUND};

    return flags[p->head[1] % 4];
}

uint64_t program_seed(const struct program *p)
{
    return p->head[5] | (uint64_t)p->head[6] << 8 | (uint64_t)p->head[7] << 16;
}

enum fault_kind program_faults(const struct program *p, unsigned *first,
                               int *sticky)
{
    *first = 1 + p->head[3];
    *sticky = p->head[2] & 1;
    switch (p->head[2] & 0xf0) {
    case 0xf0:
    case 0xe0:
        return FAULTS_HEAP;
    case 0xd0:
        return FAULTS_MAP;
    default:
        return FAULTS_NONE;
    }
}

int program_open(const struct program *p)
{
    return p->head[4] & 1;
}

unsigned program_scope_flags(const struct op *o)
{
    unsigned flags = o->a % 3 == 0 ? 0 : 1u << o->a / 3 % 6;

    return flags | (o->a >= 192 ? ROOST_MOVE_ON : 0);
}

/* --- making one up --- */

static uint64_t draw64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned draw(uint64_t *state, unsigned n)
{
    return (unsigned)(draw64(state) >> 32) % n;
}

static uint8_t draw_code(uint64_t *state)
{
    static unsigned total;
    unsigned at;
    uint8_t code = 0;

    if (total == 0) {
        for (unsigned i = 0; i < CODES; i++) {
            total += codes[i].weight;
        }
    }
    at = draw(state, total);
    while (at >= codes[code].weight) {
        at -= codes[code++].weight;
    }
    return code;
}

/*
 * What a program is about: a few operations, which make up half of it, on
 * mostly one object of each kind. Drawn evenly from all there is, two tasks
 * would hardly ever meet.
 */
struct theme {
    uint8_t codes[3];
    uint8_t a, c;
    unsigned share; /* of 8 operations, so many are the theme's */
};

/* Small ones are likelier. */
static uint8_t draw_operand(uint64_t *state)
{
    uint64_t x = draw64(state);

    return (uint8_t)(x & 1 ? x >> 8 & 3 : x >> 8);
}

static void add(struct program *p, const struct theme *theme, uint64_t *state,
                uint8_t code)
{
    struct op *o = &p->ops[p->count++];

    o->code = code;
    o->a = draw(state, 8) < theme->share ? theme->a : draw_operand(state);
    o->b = draw_operand(state);
    o->c = draw(state, 8) < theme->share ? theme->c : draw_operand(state);
    if (code == OP_SPAWN && draw(state, 4) == 0) {
        o->b = 3; /* with a handle */
    }
    if (code == OP_SPAWN && draw(state, 2) == 0) {
        o->a = 0; /* into the innermost scope */
    }
    if (code == OP_SCOPE && draw(state, 4) == 0) {
        o->a = 0; /* a plain one */
    }
}

static void draw_theme(struct theme *theme, uint64_t *state)
{
    unsigned first = 1 + draw(state, CODES - 1);

    /* What belongs together stands together in ops.def. */
    for (unsigned i = 0; i < 3; i++) {
        unsigned code = first + draw(state, 7);

        theme->codes[i] = (uint8_t)(i == 0         ? first
                                    : code < CODES ? code
                                                   : first);
    }
    theme->a = draw_operand(state);
    theme->c = draw_operand(state);
    theme->share = 2 * draw(state, 4);
}

static uint8_t draw_next(const struct theme *theme, uint64_t *state)
{
    if (draw(state, 8) >= theme->share) {
        return draw_code(state);
    }
    return draw(state, 4) == 0 ? OP_SPAWN : theme->codes[draw(state, 3)];
}

/* Bodies end when they are as long as was drawn for them, or before. */
static void make_ops(struct program *p, const struct theme *theme,
                     uint64_t *state, unsigned most)
{
    unsigned open[8];
    unsigned depth = 0;

    while (p->count < most) {
        uint8_t code = draw_next(theme, state);

        if (depth > 0 && (draw(state, 8) == 0 || open[depth - 1] == 0)) {
            add(p, theme, state, OP_END);
            depth--;
            continue;
        }
        if (codes[code].block && depth == 8) {
            continue;
        }
        if (depth > 0) {
            open[depth - 1]--;
        }
        add(p, theme, state, code);
        if (codes[code].block) {
            open[depth++] = 1 + draw(state, 6);
        }
    }
}

static void add_sleep(struct program *p, const struct theme *theme,
                      uint64_t *state)
{
    add(p, theme, state, OP_SLEEP);
    p->ops[p->count - 1].b = (uint8_t)draw(state, 6);
}

/* Some tasks that all do the same at about the same time. */
static void make_crowd(struct program *p, const struct theme *theme,
                       uint64_t *state)
{
    unsigned tasks = 2 + draw(state, 4);

    for (unsigned i = 0; i < tasks; i++) {
        add(p, theme, state, OP_SPAWN);
        p->ops[p->count - 1].a = 0;
        if (draw(state, 2) == 0) {
            add_sleep(p, theme, state);
        }
        for (unsigned n = 1 + draw(state, 2); n > 0; n--) {
            uint8_t code = theme->codes[draw(state, 2)];

            add(p, theme, state, code);
            p->ops[p->count - 1].a = theme->a;
            if (codes[code].block) {
                add_sleep(p, theme, state);
                add(p, theme, state, OP_END);
            }
        }
        add(p, theme, state, OP_END);
    }
}

void program_generate(struct program *p, uint64_t number)
{
    uint64_t state = number * UINT64_C(0xd1342543de82ef95) + 1;
    unsigned most = 6 + draw(&state, 40);
    struct theme theme;

    memset(p, 0, sizeof(*p));
    for (unsigned i = 0; i < HEAD; i++) {
        p->head[i] = (uint8_t)draw64(&state);
    }
    draw_theme(&theme, &state);
    if (draw(&state, 4) == 0) {
        make_crowd(p, &theme, &state);
    }
    make_ops(p, &theme, &state, most);
    program_settle(p);
}

/* --- bytes --- */

void program_settle(struct program *p)
{
    unsigned open[OPS_MAX];
    unsigned depth = 0;

    for (unsigned i = 0; i < p->count; i++) {
        p->end[i] = p->count;
        if (codes[p->ops[i].code].block) {
            open[depth++] = i;
        } else if (p->ops[i].code == OP_END && depth > 0) {
            p->end[open[--depth]] = i;
        }
    }
}

void program_parse(struct program *p, const uint8_t *bytes, size_t n)
{
    memset(p, 0, sizeof(*p));
    memcpy(p->head, bytes, n < HEAD ? n : HEAD);
    for (size_t at = HEAD; at + 4 <= n && p->count < OPS_MAX; at += 4) {
        struct op *o = &p->ops[p->count++];

        o->code = bytes[at] % CODES;
        o->a = bytes[at + 1];
        o->b = bytes[at + 2];
        o->c = bytes[at + 3];
    }
    program_settle(p);
}

size_t program_bytes(const struct program *p, uint8_t *bytes)
{
    size_t n = HEAD;

    memcpy(bytes, p->head, HEAD);
    for (unsigned i = 0; i < p->count; i++) {
        memcpy(bytes + n, &p->ops[i], 4);
        n += 4;
    }
    return n;
}

int program_from_hex(struct program *p, const char *text)
{
    uint8_t bytes[BYTES_MAX];
    size_t n = 0;
    unsigned byte;
    int used;

    while (*text != '\0' && n < sizeof(bytes)) {
        if (sscanf(text, "%2x%n", &byte, &used) != 1 || used != 2) {
            return -1;
        }
        bytes[n++] = (uint8_t)byte;
        text += 2;
    }
    program_parse(p, bytes, n);
    return *text == '\0' && n >= HEAD ? 0 : -1;
}

void program_hex(const struct program *p, FILE *out)
{
    uint8_t bytes[BYTES_MAX];
    size_t n = program_bytes(p, bytes);

    for (size_t i = 0; i < n; i++) {
        fprintf(out, "%02x", bytes[i]);
    }
}

/* --- reading it --- */

static void print_flags(unsigned set, FILE *out)
{
    static const char *const flags[] = {"SHIELD", "FINISH",  "SUPERVISE",
                                        "RACE",   "MOVE_ON", "SKIP"};

    fputs(set == 0 ? "plain" : "", out);
    for (unsigned i = 0; i < 6; i++) {
        if (set >> i & 1) {
            fprintf(out, "%s%s", flags[i], set >> i > 1 ? "|" : "");
        }
    }
}

/* What stands behind a '$': how many characters of the text it takes. */
static int print_operand(const struct op *o, const char *at, FILE *out)
{
    static const char *const times[] = {"expired", "1 ms", "2 ms",  "3 ms",
                                        "5 ms",    "8 ms", "never", "never"};
    static const char *const timeouts[] = {"none", "none", "none", "1 ms",
                                           "2 ms", "3 ms", "5 ms", "8 ms"};
    unsigned value = *at == 'a' ? o->a : *at == 'b' ? o->b : o->c;
    unsigned modulo;
    int used = 0;

    if (*at == 't') {
        fputs(times[o->b % 8], out);
        return 1;
    }
    if (*at == 's') {
        fputs(timeouts[o->b % 8], out);
        return 1;
    }
    if (*at == 'f') {
        print_flags(program_scope_flags(o), out);
        return 1;
    }
    (void)sscanf(at + 1, "%u%n", &modulo, &used);
    fprintf(out, "%u", value % modulo);
    return 1 + used;
}

void program_print_op(const struct op *o, FILE *out)
{
    const char *at = codes[o->code].text;

    while (*at != '\0') {
        if (*at == '$') {
            at++;
            at += print_operand(o, at, out);
        } else {
            fputc(*at++, out);
        }
    }
    fputc('\n', out);
}

void program_print(const struct program *p, FILE *out)
{
    static const char *const ways[] = {"random", "random", "pct", "bound"};
    static const char *const faults[] = {"no faults", "an allocation fails",
                                         "a mapping fails"};
    unsigned first;
    int sticky;
    enum fault_kind kind = program_faults(p, &first, &sticky);
    int depth = 1;

    fprintf(out, "%u workers, %s, seed %llu, %s", program_workers(p),
            ways[p->head[1] % 4], (unsigned long long)program_seed(p),
            faults[kind]);
    if (kind != FAULTS_NONE) {
        fprintf(out, " at call %u%s", first, sticky ? " and from then on" : "");
    }
    fprintf(out, ", waits %s\n{\n",
            program_open(p) ? "may be for ever" : "are bounded");
    for (unsigned i = 0; i < p->count; i++) {
        const struct op *o = &p->ops[i];

        if (o->code == OP_END && depth == 1) {
            continue;
        }
        depth -= o->code == OP_END;
        fprintf(out, "%3u %*s", i, 4 * depth, "");
        program_print_op(o, out);
        depth += codes[o->code].block;
    }
    while (depth-- > 0) {
        fprintf(out, "    %*s}\n", 4 * depth, "");
    }
}

int program_has_faults(const struct program *p)
{
    unsigned first;
    int sticky;

    return program_faults(p, &first, &sticky) != FAULTS_NONE;
}
