/* duration.c - see duration.h. */
#include "duration.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    roost_ns ns;
} units[] = {{"s", ROOST_S},   {"ms", ROOST_MS},    {"us", ROOST_US},
             {"ns", ROOST_NS}, {"m", 60 * ROOST_S}, {"h", 3600 * ROOST_S}};

static const double ns_max = 9e18;

bool duration_read(const char *text, bool bare, roost_ns *ns)
{
    char *unit;
    double value;

    if (text[0] != '.' && (text[0] < '0' || text[0] > '9')) {
        return false; /* no sign, blank, "inf", "nan" */
    }
    value = strtod(text, &unit);
    unit = bare && *unit == '\0' ? (char *)units[0].name : unit;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) == 0) {
            value *= (double)units[i].ns;
            if (value > ns_max) {
                return false;
            }
            *ns = (roost_ns)value;
            return true;
        }
    }
    return false;
}
