/* SHA-256, SHA-1 and MD5 of a source in one pass, where the processor has SHA instructions.
 *
 * MD5 is one chain of steps that each wait for the one before; the other two run in its shadow. Each alone is no quicker here than
 * in hashlib. Without SHA instructions nothing is gained, and Python's own are used.
 */
#include "digests.h"

#include "ni.h"

#include <stddef.h>
#include <string.h>

#include <structmember.h>

typedef struct {
    PyObject_HEAD
    ShaState sha256;
    uint32_t sha1[5], md5[4];
    uint64_t size;
    uint8_t rest[64];  /* the bytes after the last whole block */
} Digests;

#ifdef HAS_NI

static const uint32_t MD5_K[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static const uint8_t MD5_TURN[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

INLINE void md5_step(uint32_t v[4], const uint8_t *data, int i) {
    uint32_t b = v[1], c = v[2], d = v[3], f, word;
    int at;
    switch (i / 16) {
    case 0: f = d ^ (b & (c ^ d)), at = i; break;
    case 1: f = (b & d) + (c & ~d), at = (5 * i + 1) % 16; break;  /* never both: the sum waits for b alone */
    case 2: f = b ^ c ^ d, at = (3 * i + 5) % 16; break;
    default: f = c ^ (b | ~d), at = 7 * i % 16;
    }
    memcpy(&word, data + 4 * at, 4);
    uint32_t sum = v[0] + MD5_K[i] + word + f;
    int by = MD5_TURN[i / 16][i % 4];
    v[0] = d;
    v[3] = c;
    v[2] = b;
    v[1] = b + (sum << by | sum >> (32 - by));
}

INLINE NI __m128i sha1_rounds(__m128i abcd, __m128i e, int group) {
    switch (group / 5) {
    case 0: return _mm_sha1rnds4_epu32(abcd, e, 0);
    case 1: return _mm_sha1rnds4_epu32(abcd, e, 1);
    case 2: return _mm_sha1rnds4_epu32(abcd, e, 2);
    default: return _mm_sha1rnds4_epu32(abcd, e, 3);
    }
}

typedef struct {
    __m128i abcd, e, w[4];
} Sha1;

/* Rounds 4i to 4i + 3, and the four words of the message that come 16 later. */
INLINE NI void sha1_four(Sha1 *s, int i) {
    __m128i *w = s->w, before = s->abcd;
    __m128i e = i ? _mm_sha1nexte_epu32(s->e, w[i & 3]) : _mm_add_epi32(s->e, w[0]);
    s->abcd = sha1_rounds(s->abcd, e, i);
    s->e = before;
    if (i < 16)
        w[i & 3] = _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3]), w[(i + 3) & 3]);
}

NI static void blocks_take(Digests *all, const uint8_t *data, size_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0001020304050607LL, 0x08090a0b0c0d0e0fLL);
    Sha1 s = {.abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)all->sha1), 0x1B), .e = _mm_set_epi32((int)all->sha1[4], 0, 0, 0)};
    Chain c;
    chain_load(&c, all->sha256.h);
    for (; blocks; blocks--, data += 64) {
        uint32_t v[4];
        __m128i abcd = s.abcd, e = s.e;
        memcpy(v, all->md5, sizeof v);
        for (int i = 0; i < 4; i++)
            s.w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), swap);
        chain_open(&c, data);
#pragma GCC unroll 64
        for (int i = 0; i < 64; i++) {
            md5_step(v, data, i);
            if (i % 3 == 0 && i < 60)
                sha1_four(&s, i / 3);
            if (i % 4 == 1)
                chain_four(&c, i / 4);
        }
        for (int i = 0; i < 4; i++)
            all->md5[i] += v[i];
        chain_close(&c);
        s.e = _mm_sha1nexte_epu32(s.e, e);
        s.abcd = _mm_add_epi32(s.abcd, abcd);
    }
    chain_store(&c, all->sha256.h);
    _mm_storeu_si128((__m128i *)all->sha1, _mm_shuffle_epi32(s.abcd, 0x1B));
    all->sha1[4] = (uint32_t)_mm_extract_epi32(s.e, 3);
}
#else
static void blocks_take(Digests *all, const uint8_t *data, size_t blocks) {
    (void)all, (void)data, (void)blocks;  /* the module then has no type to call it */
}
#endif

static void bytes_take(Digests *all, const uint8_t *data, size_t size) {
    size_t held = all->size % 64, missing = 64 - held;
    all->size += size;
    if (held && size >= missing) {
        memcpy(all->rest + held, data, missing);
        blocks_take(all, all->rest, 1);
        data += missing;
        size -= missing;
        held = 0;
    }
    if (!held) {
        blocks_take(all, data, size / 64);
        data += size / 64 * 64;
        size %= 64;
    }
    if (size)
        memcpy(all->rest + held, data, size);
}

/* What is to come after the last byte: a mark, zeroes, and the number of bits, which MD5 writes the other way round. */
static Digests ended(Digests all, bool little) {
    uint8_t last[128] = {0};
    size_t held = all.size % 64, room = held < 56 ? 64 : 128;
    memcpy(last, all.rest, held);
    last[held] = 0x80;
    for (size_t i = 0; i < 8; i++)
        last[little ? room - 8 + i : room - 1 - i] = (uint8_t)(all.size * 8 >> 8 * i);
    blocks_take(&all, last, room / 64);
    return all;
}

static PyObject *hexadecimal(const uint32_t *words, size_t count, bool little) {
    char text[64];
    for (size_t i = 0; i < 8 * count; i++) {
        size_t figure = little ? (i % 8) ^ 1 : 7 - i % 8;  /* four bits each, counted from the word's lowest */
        text[i] = "0123456789abcdef"[words[i / 8] >> 4 * figure & 15];
    }
    return PyUnicode_FromStringAndSize(text, (Py_ssize_t)(8 * count));
}

static PyObject *digests_update(PyObject *self, PyObject *data) {
    Digests *all = (Digests *)self;
    Py_buffer buffer;
    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    bytes_take(all, buffer.buf, (size_t)buffer.len);
    PyBuffer_Release(&buffer);
    Digests end = ended(*all, false);
    return hexadecimal(end.sha256.h, 8, false);
}

static PyObject *digests_all(PyObject *self, PyObject *none) {
    Digests *all = (Digests *)self, big = ended(*all, false), little = ended(*all, true);
    (void)none;
    return Py_BuildValue("(NNN)", hexadecimal(big.sha256.h, 8, false), hexadecimal(big.sha1, 5, false),
                         hexadecimal(little.md5, 4, true));
}

static int digests_init(PyObject *self, PyObject *args, PyObject *named) {
    static const uint32_t sha1[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    Digests *all = (Digests *)self;
    (void)args;
    (void)named;
    all->sha256 = SHA_START;
    memcpy(all->sha1, sha1, sizeof sha1);
    memcpy(all->md5, sha1, sizeof all->md5);
    all->size = 0;
    return 0;
}

static PyMemberDef members[] = {
    {"size", T_ULONGLONG, offsetof(Digests, size), READONLY, "bytes so far"}, {NULL, 0, 0, 0, NULL}};

static PyMethodDef methods[] = {
    {"update", digests_update, METH_O, "update(data) -> the SHA-256 up to here"},
    {"digests", digests_all, METH_NOARGS, "digests() -> (SHA-256, SHA-1, MD5)"}, {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The three hashes of a source."}, {Py_tp_new, PyType_GenericNew}, {Py_tp_init, digests_init}, {Py_tp_methods, methods},
    {Py_tp_members, members}, {0, NULL}};

PyType_Spec digests_spec = {"fimforensics.native._native.Hashes", sizeof(Digests), 0, Py_TPFLAGS_DEFAULT, slots};
