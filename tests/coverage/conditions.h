/*
 * conditions.h - included before all else where conditions are counted: clang
 * counts those in a macro's argument for the macro, so there is none.
 */
#ifndef ROOST_TEST_CONDITIONS_H
#define ROOST_TEST_CONDITIONS_H

#include "base/check.h"

#undef likely
#undef unlikely
#define likely
#define unlikely
/* What is left of them are parentheses. */
#pragma clang diagnostic ignored "-Wparentheses-equality"

#endif
