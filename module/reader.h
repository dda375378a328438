/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading records from a seq_file, part by part: what has to be buffered at once stays small,
 * however many pages a record has.
 */
#ifndef _GUPWALK_READER_H
#define _GUPWALK_READER_H

#include <linux/fs.h>
#include <linux/seq_file.h>

#include "record.h"

/**
 * struct gw_reader - an open file that prints records
 * @set: the records, or NULL
 * @print: prints a part of one
 * @current_record: number in @set of the record at the position last asked for
 * @part: part of it
 */
struct gw_reader {
	struct gw_record_set *set;
	void (*print)(struct seq_file *m, const struct gw_record *record, unsigned int part);
	unsigned int current_record;
	unsigned int part;
};

/**
 * gw_reader_seek() - go to a position
 * @reader: the reader
 * @pos: the position, counted in parts
 *
 * Return: false past the last part.
 */
bool gw_reader_seek(struct gw_reader *reader, loff_t pos);

/**
 * gw_reader_next() - go to the next part
 * @reader: the reader, at a part
 *
 * Return: false past the last part.
 */
bool gw_reader_next(struct gw_reader *reader);

/**
 * gw_reader_show() - print the part at the position
 * @reader: the reader, at a part
 * @m: where to
 */
void gw_reader_show(const struct gw_reader *reader, struct seq_file *m);

#endif /* _GUPWALK_READER_H */
