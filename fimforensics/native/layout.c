/* What `swift.swift` says of a layout, taken into a lane: stretches, columns, and which parts and cells make which block. */
#include "lane.h"

#include <stdlib.h>
#include <string.h>

static bool span_of(PyObject *bytes, Span *found) {
    char *at;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(bytes, &at, &size) < 0)
        return false;
    *found = (Span){at, (size_t)size};
    return true;
}

static bool refuse(const char *why) {
    PyErr_SetString(PyExc_ValueError, why);
    return false;
}

/* names: ((`"Column":`, slot, kinds of cells), …) */
static bool columns_open(Lane *lane, Stretch *stretch, PyObject *names) {
    stretch->count = (size_t)PyTuple_GET_SIZE(names);
    stretch->columns = calloc(stretch->count + 1, sizeof *stretch->columns);
    if (!stretch->columns) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < stretch->count; i++) {
        PyObject *name;
        unsigned char slot, takes;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(names, (Py_ssize_t)i), "Sbb", &name, &slot, &takes))
            return false;
        if (slot >= MOST_CELLS)
            return refuse("more cells than a lane has");
        stretch->columns[i].slot = slot;
        stretch->columns[i].takes = takes;
        if (!span_of(name, &stretch->columns[i].name))
            return false;
        if (slot >= lane->cell_count)
            lane->cell_count = slot + 1u;
    }
    return true;
}

/* steps: ((border, stable?, names), …) */
static bool stretches_open(Lane *lane, PyObject *steps, size_t most, size_t most_bytes) {
    size_t count = (size_t)PyTuple_GET_SIZE(steps);
    lane->cell_count = lane->read_count;
    lane->stretches = calloc(count + 1, sizeof *lane->stretches);
    if (!lane->stretches) {
        PyErr_NoMemory();
        return false;
    }
    for (; lane->stretch_count < count; lane->stretch_count++) {
        Stretch *stretch = &lane->stretches[lane->stretch_count];
        PyObject *border, *names;
        int stable;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(steps, (Py_ssize_t)lane->stretch_count), "SpO!", &border, &stable, &PyTuple_Type, &names))
            return false;
        stretch->stable = -1;
        if (stable && lane->part_count == MOST_PARTS)
            return refuse("more parts than a lane has");
        if (stable) {
            table_open(&lane->parts[lane->part_count], most / 2, most_bytes);
            stretch->stable = (int)lane->part_count++;
        }
        if (!span_of(border, &stretch->border) || !columns_open(lane, stretch, names))
            return false;
    }
    return true;
}

static bool numbers_open(PyObject *numbers, uint8_t *found, size_t room, size_t *count, size_t below) {
    if (!PyTuple_Check(numbers) || (size_t)PyTuple_GET_SIZE(numbers) > room)
        return refuse("no numbers of parts or cells");
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers); i++) {
        long number = PyLong_AsLong(PyTuple_GET_ITEM(numbers, i));
        if (number < 0 || (size_t)number >= below)
            return PyErr_Occurred() ? false : refuse("a part or cell that the layout does not have");
        found[(*count)++] = (uint8_t)number;
    }
    return true;
}

/* groups: ((parts, cells), …) of machine, request, process and image */
static bool groups_open(Lane *lane, PyObject *groups) {
    for (Py_ssize_t i = 0; i < GROUPS; i++) {
        PyObject *parts, *cells;
        Group *group = &lane->groups[i];
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(groups, i), "OO", &parts, &cells)
            || !numbers_open(parts, group->parts, MOST_PARTS, &group->part_count, lane->part_count)
            || !numbers_open(cells, group->cells, MOST_CELLS, &group->cell_count, lane->cell_count))
            return false;
    }
    return true;
}

static bool answers_open(Lane *lane, PyObject *answers) {
    static const char *const names[ASKED] = {
        "machine", "request", "process", "image", "change", "file", "registry", "content", "actor", "minute"};
    for (int i = 0; i < ASKED; i++)
        if (!(lane->asked[i] = PyObject_GetAttrString(answers, names[i])))
            return false;
    return (lane->prove = PyObject_GetAttrString(answers, "prove")) && (lane->real = PyObject_GetAttrString(answers, "real"))
        && (lane->add = PyObject_GetAttrString(answers, "add"));
}

/* bits: (how far the form of a path lies to the left, bits of empty texts of the cells that are read anew, of a process's cells,
 * where a process's cells are, where an account's are, how many cells are read anew) */
static bool bits_open(Lane *lane, PyObject *bits) {
    PyObject *empty, *process_empty, *process, *account;
    Py_ssize_t read;
    size_t counts[2] = {0, 0};
    if (!PyArg_ParseTuple(bits, "iO!O!OOn", &lane->path_form_shift, &PyTuple_Type, &empty, &PyTuple_Type, &process_empty, &process,
                          &account, &read)
        || !numbers_open(process, lane->process_slots, PROCESS_CELLS, &counts[0], MOST_CELLS)
        || !numbers_open(account, lane->account_slots, ACCOUNT_CELLS, &counts[1], MOST_CELLS))
        return false;
    if (PyTuple_GET_SIZE(empty) != LOOSE || PyTuple_GET_SIZE(process_empty) != PROCESS_CELLS || counts[0] != PROCESS_CELLS
        || counts[1] != ACCOUNT_CELLS || read < LOOSE || read > MOST_CELLS || lane->path_form_shift < 0 || lane->path_form_shift > 60)
        return refuse("these are not the bits of a row");
    lane->read_count = (size_t)read;
    for (Py_ssize_t i = 0; i < LOOSE; i++)
        lane->empty[i] = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(empty, i));
    for (Py_ssize_t i = 0; i < PROCESS_CELLS; i++)
        lane->process_empty[i] = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(process_empty, i));
    return !PyErr_Occurred();
}

int lane_open(Lane *lane, PyObject *steps, PyObject *groups, PyObject *answers, PyObject *bits, size_t most, size_t most_bytes) {
    if (PyTuple_GET_SIZE(groups) != GROUPS)
        return refuse("there are four groups"), -1;
    for (int i = 0; i < KINDS; i++)
        table_open(&lane->tables[i], i == FILES ? most : most / 2, most_bytes);  /* files come again most, and over the longest time */
    for (int i = 0; i < MOST_CELLS; i++)
        lane->line.cells[i] = (Cell){.span = SPAN("null"), .kind = NOTHING, .ascii = true};
    lane->steps = Py_NewRef(steps);
    bool well = bits_open(lane, bits) && stretches_open(lane, steps, most, most_bytes) && groups_open(lane, groups);
    return well && answers_open(lane, answers) ? 0 : -1;
}

void lane_close(Lane *lane) {
    for (size_t i = 0; i < lane->part_count; i++)
        table_close(&lane->parts[i]);
    for (int i = 0; i < KINDS; i++)
        table_close(&lane->tables[i]);
    for (int i = 0; i < ASKED; i++)
        Py_CLEAR(lane->asked[i]);
    for (size_t i = 0; lane->stretches && i <= lane->stretch_count; i++)
        free(lane->stretches[i].columns);
    free(lane->stretches);
    free(lane->key.at);
    free(lane->row.at);
    free(lane->scratch.at);
    free(lane->texts.at);
    free(lane->ahead.at);
    free(lane->out.at);
    Py_CLEAR(lane->steps);
    Py_CLEAR(lane->prove);
    Py_CLEAR(lane->real);
    Py_CLEAR(lane->add);
}
