/* SPDX-License-Identifier: MIT */
/* MD5 as RFC 1321 has it, in a form whose state can be set: libraries hide theirs or deprecate it. */
#include "lib/wire/cram.h"

#include <string.h>

#define BLOCK 64

static const guint8 shifts[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

/* floor(2^32 * |sin(i + 1)|) */
static const guint32 sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static guint32 get32(const guint8 *p)
{
    return (guint32)p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16 | (guint32)p[3] << 24;
}

static void put32(guint8 *p, guint32 value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (guint8)(value >> (8 * i));
}

static guint32 mix(guint round, guint32 b, guint32 c, guint32 d)
{
    switch (round) {
    case 0:
        return (b & c) | (~b & d);
    case 1:
        return (b & d) | (c & ~d);
    case 2:
        return b ^ c ^ d;
    default:
        return c ^ (b | ~d);
    }
}

static void md5_block(guint32 state[4], const guint8 *block)
{
    static const guint8 factor[4] = {1, 5, 3, 7}, offset[4] = {0, 1, 5, 0};
    guint32 a = state[0], b = state[1], c = state[2], d = state[3];

    for (guint i = 0; i < 64; i++) {
        guint round = i / 16, shift = shifts[round][i % 4];
        guint32 word = get32(block + 4 * ((factor[round] * i + offset[round]) % 16));
        guint32 sum = a + mix(round, b, c, d) + sines[i] + word;
        a = d;
        d = c;
        c = b;
        b += sum << shift | sum >> (32 - shift);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

/* Goes on from a state that has taken `before` octets (whole blocks), to the digest. */
static void md5_finish(const guint8 saved[16], guint64 before, const guint8 *data, gsize length,
                       guint8 digest[16])
{
    guint8 tail[2 * BLOCK] = {0};
    guint32 state[4];
    guint64 bits = (before + length) * 8;

    for (int i = 0; i < 4; i++)
        state[i] = get32(saved + 4 * i);
    for (; length >= BLOCK; data += BLOCK, length -= BLOCK)
        md5_block(state, data);
    memcpy(tail, data, length);
    tail[length] = 0x80;
    gsize end = length + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    put32(tail + end - 8, (guint32)bits);
    put32(tail + end - 4, (guint32)(bits >> 32));
    for (gsize at = 0; at < end; at += BLOCK)
        md5_block(state, tail + at);
    for (int i = 0; i < 4; i++)
        put32(digest + 4 * i, state[i]);
}

static const guint8 initial[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                   0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};

static void pad_state(const guint8 block[BLOCK], guint8 pad, guint8 out[16])
{
    guint8 padded[BLOCK];
    guint32 state[4];

    for (int i = 0; i < BLOCK; i++)
        padded[i] = block[i] ^ pad;
    for (int i = 0; i < 4; i++)
        state[i] = get32(initial + 4 * i);
    md5_block(state, padded);
    for (int i = 0; i < 4; i++)
        put32(out + 4 * i, state[i]);
    explicit_bzero(padded, sizeof(padded));
}

void cram_state_make(const char *key, guint8 state[CRAM_STATE_LENGTH])
{
    guint8 block[BLOCK] = {0};
    gsize length = strlen(key);

    if (length > BLOCK)
        md5_finish(initial, 0, (const guint8 *)key, length, block);
    else
        memcpy(block, key, length);
    pad_state(block, 0x36, state);
    pad_state(block, 0x5c, state + 16);
    explicit_bzero(block, sizeof(block));
}

void cram_digest(const guint8 state[CRAM_STATE_LENGTH], const char *challenge,
                 char digest[CRAM_DIGEST_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    guint8 inner[16], outer[16];

    md5_finish(state, BLOCK, (const guint8 *)challenge, strlen(challenge), inner);
    md5_finish(state + 16, BLOCK, inner, sizeof(inner), outer);
    for (int i = 0; i < 16; i++) {
        digest[2 * i] = digits[outer[i] >> 4];
        digest[2 * i + 1] = digits[outer[i] & 15];
    }
    digest[CRAM_DIGEST_LENGTH] = '\0';
}

gboolean cram_verify(const guint8 state[CRAM_STATE_LENGTH], const char *challenge,
                     const char *response)
{
    char digest[CRAM_DIGEST_LENGTH + 1];
    guint8 difference = 0;

    if (strlen(response) != CRAM_DIGEST_LENGTH)
        return FALSE;
    cram_digest(state, challenge, digest);
    for (int i = 0; i < CRAM_DIGEST_LENGTH; i++)
        difference |= (guint8)(digest[i] ^ g_ascii_tolower(response[i]));
    return difference == 0;
}
