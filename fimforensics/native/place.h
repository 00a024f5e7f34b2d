/* Finds each packed event its place in a case that has no other snapshot. */
#ifndef FIM_PLACE_H
#define FIM_PLACE_H

#include "unpack.h"

extern PyType_Spec placer_spec;

#endif
