/* duration.h - times as people write them: for the programs in this folder. */
#ifndef APPS_DURATION_H
#define APPS_DURATION_H

#include <stdbool.h>

#include <roost/roost.h>

/*
 * "20ms", "1.5s", "500us", "10ns", "2m", "1h": *ns is written. No sign, no
 * blank, nothing over 285 years.
 *   bare  a number without a unit is seconds
 */
bool duration_read(const char *text, bool bare, roost_ns *ns);

#endif
