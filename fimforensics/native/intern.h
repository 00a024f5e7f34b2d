/* Knows the entities of a case that began empty by a keyed hash of what each is. */
#ifndef FIM_INTERN_H
#define FIM_INTERN_H

#include "table.h"

extern PyType_Spec seen_spec;

#endif
