/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_NUMBER_H
#define GUPWALK_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/**
 * number_parse() - read an unsigned number, the whole of a string
 * @s: decimal, or hexadecimal after 0x
 * @max: largest allowed
 * @value: set to the number
 *
 * Return: true if @s is such a number.
 */
bool number_parse(const char *s, uint64_t max, uint64_t *value);

/**
 * number_hex() - read an address, the whole of a string
 * @s: hexadecimal, with or without 0x
 * @value: set to the number
 *
 * Return: true if @s is such a number.
 */
bool number_hex(const char *s, uint64_t *value);

/**
 * number_size() - read a size in bytes, the whole of a string
 * @s: a number as for number_parse(), with K, M, G or T after it perhaps
 * @value: set to the size
 *
 * Return: true if @s is a size that 64 bits hold.
 */
bool number_size(const char *s, uint64_t *value);

/**
 * struct range - addresses from @start up to, but without, @end
 * @start: first
 * @end: first one after; UINT64_MAX stands for all there are
 */
struct range {
	uint64_t start;
	uint64_t end;
};

/**
 * range_parse() - read START, START-END or START+LEN
 * @s: START and END as for number_hex(), LEN as for number_size()
 * @one: bytes of a page, which START alone stands for
 * @range: set to the range, which is made larger at both ends until it has whole pages only
 *
 * Return: NULL, or what is wrong with it.
 */
const char *range_parse(const char *s, uint64_t one, struct range *range);

/**
 * size_text() - a size in few letters, always with a unit
 * @bytes: the size
 * @text: where; at least 24 bytes
 *
 * The unit is the largest one that the size has at least one of. What has a decimal point is
 * rounded, or is exact by chance; what has none is exact.
 *
 * Return: @text.
 */
char *size_text(uint64_t bytes, char *text);

/**
 * time_text() - a time in few letters, always with a unit
 * @ns: the time
 * @text: where; at least 24 bytes
 *
 * The unit is the largest one, up to hours, that the time has at least one of; but for ns there is
 * one decimal, and what is beyond it is dropped.
 *
 * Return: @text.
 */
char *time_text(uint64_t ns, char *text);

#endif
