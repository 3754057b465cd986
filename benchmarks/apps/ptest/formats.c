/*
 * formats.c - see formats.h.
 */
#include "formats.h"

#include <string.h>
#include <unistd.h>

#include "escape.h"

static double seconds(roost_ns t)
{
    return (double)t / (double)ROOST_S;
}

/* --- the output of a test --- */

typedef void put_fn(FILE *out, const char *text, size_t n);

static void put_bytes(FILE *out, const char *text, size_t n)
{
    fwrite(text, 1, n, out);
}

/* Both parts, and between them how much is missing. */
static void put_output(FILE *out, const struct capture *c, put_fn *put)
{
    char words[64];

    put(out, c->head, c->head_n);
    if (c->left_out > 0) {
        bool breaks = c->head_n > 0 && c->head[c->head_n - 1] != '\n';
        int n = snprintf(words, sizeof words, "%s[%llu bytes are left out]\n",
                         breaks && put != escape_comment ? "\n" : "",
                         (unsigned long long)c->left_out);

        put(out, words, (size_t)n);
    }
    put(out, c->tail, c->tail_n);
}

static bool has_output(const struct capture *c)
{
    return c->head_n > 0 || c->tail_n > 0 || c->left_out > 0;
}

static bool ends_line(const struct capture *c)
{
    return c->tail_n > 0 ? c->tail[c->tail_n - 1] == '\n'
                         : c->left_out > 0 || c->head[c->head_n - 1] == '\n';
}

/* --- to read --- */

static const char *const verdicts[] = {
    [NOT_RUN] = "not run",    [PASSED] = "ok",     [FAILED] = "FAILED",
    [TIMED_OUT] = "FAILED",   [BROKEN] = "FAILED", [SKIPPED] = "skipped",
    [CANCELLED] = "cancelled"};

static void text_line(FILE *out, const struct command *c,
                      const struct result *r)
{
    char words[REASON_SIZE];
    const char *reason = job_reason(r, words);

    fprintf(out, "%-9s %8.3f s  %s", verdicts[r->outcome], seconds(r->took),
            c->name);
    if (*reason != '\0' && strcmp(reason, verdicts[r->outcome]) != 0) {
        fprintf(out, ": %s", reason);
    }
    if (r->report.strays > 0) {
        fprintf(out, " (ended %u left behind)", r->report.strays);
    }
    putc('\n', out);
}

void text_result(FILE *out, const struct command *c, const struct result *r,
                 const struct options *o)
{
    if (r->outcome == PASSED && o->quiet && r->report.strays == 0) {
        return;
    }
    text_line(out, c, r);
    if ((job_failed(r) || o->verbose) && has_output(&r->output)) {
        fprintf(out, "--- output of %s\n", c->name);
        put_output(out, &r->output, put_bytes);
        fprintf(out, "%s---\n", ends_line(&r->output) ? "" : "\n");
    }
}

static void count_line(FILE *out, unsigned n, const char *what)
{
    if (n > 0) {
        fprintf(out, "%u %s\n", n, what);
    }
}

void text_end(FILE *out, const struct tally *t, roost_ns took)
{
    unsigned failed = tally_failed(t);

    if (failed > 0) {
        fprintf(out, "\n");
    }
    for (size_t i = 0; i < t->list->count; i++) {
        if (job_failed(&t->results[i])) {
            text_line(out, &t->list->commands[i], &t->results[i]);
        }
    }
    fprintf(out, "\n");
    if (t->why != NULL) {
        fprintf(out, "cut short: %s\n", t->why);
    }
    count_line(out, t->strays,
               "processes outlived their tests, and were "
               "ended");
    count_line(out, t->of[SKIPPED], "skipped");
    count_line(out, t->of[CANCELLED], "cancelled");
    count_line(out, t->of[NOT_RUN], "not run");
    fprintf(out, "in %.2f s\n%u passed, %u failed\n", seconds(took),
            t->of[PASSED], failed);
}

/* --- TAP --- */

void tap_begin(FILE *out, size_t count)
{
    fprintf(out, "TAP version 13\n1..%zu\n", count);
}

void tap_result(FILE *out, size_t number, const struct command *c,
                const struct result *r)
{
    char words[REASON_SIZE];
    const char *reason = job_reason(r, words);

    fprintf(out, "%sok %zu - ", job_failed(r) ? "not " : "", number);
    escape_description(out, c->name, strlen(c->name));
    if (!job_failed(r) && r->outcome != PASSED) {
        fprintf(out, " # SKIP %s", reason);
    }
    fprintf(out, "\n  ---\n  duration_ms: %.3f\n", seconds(r->took) * 1000);
    if (job_failed(r)) {
        fprintf(out, "  message: \"%s\"\n", reason);
    }
    if (r->report.strays > 0) {
        fprintf(out, "  left_behind: %u\n", r->report.strays);
    }
    fprintf(out, "  ...\n");
    if (job_failed(r)) {
        put_output(out, &r->output, escape_comment);
    }
}

void tap_end(FILE *out, const struct tally *t)
{
    fprintf(out, "# %u passed, %u failed\n", t->of[PASSED], tally_failed(t));
    if (t->why != NULL) {
        fprintf(out, "Bail out! ");
        escape_description(out, t->why, strlen(t->why));
        fprintf(out, "\n");
    }
}

/* --- JUnit --- */

static void attribute(FILE *out, const char *name, const char *value, size_t n)
{
    fprintf(out, " %s=\"", name);
    escape_xml(out, value, n);
    fprintf(out, "\"");
}

static void junit_verdict(FILE *out, const struct result *r)
{
    static const char *const kinds[] = {
        [NOT_RUN] = "skipped", [FAILED] = "failure",  [TIMED_OUT] = "failure",
        [BROKEN] = "error",    [SKIPPED] = "skipped", [CANCELLED] = "skipped"};
    char words[REASON_SIZE];
    const char *reason = job_reason(r, words);

    if (r->outcome != PASSED) {
        fprintf(out, "      <%s", kinds[r->outcome]);
        attribute(out, "message", reason, strlen(reason));
        fprintf(out, "/>\n");
    }
}

/* What stands before the last slash of its name is its class. */
void junit_case(FILE *out, const struct command *c, const struct result *r)
{
    const char *slash = strrchr(c->name, '/');
    bool split = slash != NULL && slash > c->name && slash[1] != '\0';
    const char *name = split ? slash + 1 : c->name;

    fprintf(out, "    <testcase");
    attribute(out, "classname", split ? c->name : "ptest",
              split ? (size_t)(slash - c->name) : strlen("ptest"));
    attribute(out, "name", name, strlen(name));
    fprintf(out, " time=\"%.6f\">\n", seconds(r->took));
    junit_verdict(out, r);
    if (has_output(&r->output)) {
        fprintf(out, "      <system-out>");
        put_output(out, &r->output, escape_xml);
        fprintf(out, "</system-out>\n");
    }
    fprintf(out, "    </testcase>\n");
}

void junit_begin(FILE *out, const struct tally *t, roost_ns took,
                 const struct timespec *begun)
{
    char text[320];
    char host[65] = "";
    char date[32];
    struct tm tm;

    (void)gethostname(host, sizeof host - 1);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ",
             gmtime_r(&begun->tv_sec, &tm));
    snprintf(text, sizeof text,
             " tests=\"%zu\" failures=\"%u\" errors=\"%u\" skipped=\"%u\""
             " time=\"%.6f\"",
             t->list->count, t->of[FAILED] + t->of[TIMED_OUT], t->of[BROKEN],
             t->of[SKIPPED] + t->of[CANCELLED] + t->of[NOT_RUN], seconds(took));
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites%s>\n"
            "  <testsuite name=\"ptest\"%s timestamp=\"%s\"",
            text, text, date);
    attribute(out, "hostname", host, strlen(host));
    fprintf(out, ">\n");
}

void junit_end(FILE *out)
{
    fprintf(out, "  </testsuite>\n</testsuites>\n");
}
