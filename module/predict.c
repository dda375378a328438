// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/userfaultfd_k.h>

#include "cause.h"
#include "compat.h"
#include "predict.h"
#include "vma.h"

const char * const gw_outlook_tokens[] = {
	[GW_OUTLOOK_NONE] = NULL,
	[GW_OUTLOOK_WORKS] = "works",
	[GW_OUTLOOK_FAILS] = "fails",
	[GW_OUTLOOK_CANNOT_TELL] = "cannot-tell",
};

#define CAUSE(name) BIT(GW_CAUSE_##name)

static struct gw_prediction works(u32 causes)
{
	return (struct gw_prediction){ .outlook = GW_OUTLOOK_WORKS, .causes = causes };
}

static struct gw_prediction works_but(u32 causes, const char *doubt)
{
	return (struct gw_prediction){
		.outlook = GW_OUTLOOK_WORKS, .causes = causes, .doubt = doubt
	};
}

static struct gw_prediction cannot_tell(u32 causes, const char *doubt)
{
	return (struct gw_prediction){
		.outlook = GW_OUTLOOK_CANNOT_TELL, .causes = causes, .doubt = doubt
	};
}

static bool writes(const struct gw_case *c)
{
	return c->flags & GW_FLAG_WRITE;
}

static bool longterm(const struct gw_case *c)
{
	return c->flags & GW_FLAG_LONGTERM;
}

static bool is_fault(const struct gw_case *c)
{
	return c->op->family == GW_FAMILY_FAULT || c->op->family == GW_FAMILY_FIXUP;
}

/* ---- nothing is mapped ---- */

/* A huge page needs the whole range of a pmd entry in the VMA, and no table of small ones there. */
static bool may_be_huge(const struct gw_case *c)
{
	unsigned long start = c->addr & PMD_MASK;

	return c->before->nr_levels <= GW_PMD + 1 && start >= c->vma->vm_start &&
	       start + PMD_SIZE <= c->vma->vm_end && start + PMD_SIZE > start &&
	       !(c->vma->vm_flags & VM_NOHUGEPAGE);
}

static struct gw_prediction anon_hole(const struct gw_case *c)
{
	u32 fresh = CAUSE(ANON_ALLOCATED);

	if (may_be_huge(c))
		fresh |= CAUSE(THP_MAPPED);
	if (writes(c))
		return works(fresh);
	/* a pin for good makes a page of its own where it found the page of zeros */
	if (gw_pins_for_good(c))
		return works(fresh);
	return works(CAUSE(ZERO_MAPPED));
}

static struct gw_prediction file_hole(const struct gw_case *c)
{
	static const char reads[] = "the file's page may have to be read, and that may fail";
	u32 fresh = CAUSE(FILE_MAPPED) | CAUSE(THP_MAPPED);

	/* a hole of such a file (dax_load_hole(), fs/dax.c) */
	if (vma_is_fsdax(c->vma) && !writes(c))
		fresh |= CAUSE(ZERO_MAPPED);
	if (!c->vma->vm_ops || !c->vma->vm_ops->fault)
		return cannot_tell(fresh, "the mapping has no fault handler that could be asked");
	if (gw_vma_is_cow_mapping(c->vma) && (writes(c) || gw_pins_for_good(c)))
		return works_but(CAUSE(ANON_ALLOCATED), reads);
	return works_but(fresh, reads);
}

static struct gw_prediction hole(const struct gw_case *c)
{
	if (c->vma->vm_flags & (VM_PFNMAP | VM_IO | VM_MIXEDMAP))
		return cannot_tell(CAUSE(PFN_MAPPED) | CAUSE(FILE_MAPPED),
				   "what is mapped there the driver's fault handler decides");
	if (userfaultfd_missing(c->vma))
		return cannot_tell(CAUSE(ANON_ALLOCATED) | CAUSE(FILE_MAPPED),
				   "a userfaultfd range: whether the page comes its monitor decides");
	if (is_vm_hugetlb_page(c->vma))
		return works_but(CAUSE(HUGETLB_MAPPED), "the pool may have no page left");
	return vma_is_anonymous(c->vma) ? anon_hole(c) : file_hole(c);
}

/* ---- a page is mapped ---- */

/* do_wp_page(): is the page made writable as it is, or copied. */
static struct gw_prediction write_protected(const struct gw_case *c)
{
	static const char references[] =
		"whether the page is copied or taken over depends on who else has references";
	const struct gw_page *page = &c->before->page;
	u32 in_place = CAUSE(FLAGS_ONLY) | CAUSE(UNCHANGED);

	if (userfaultfd_wp(c->vma))
		return cannot_tell(in_place | CAUSE(COW),
				   "a userfaultfd range: writing to it may be its monitor's to allow");
	if (!page->valid)
		return cannot_tell(in_place | CAUSE(COW) | CAUSE(REPLACED),
				   "the entry maps no ordinary page");
	if (!gw_vma_is_cow_mapping(c->vma)) {
		/* of a file with DAX: what is written to gets memory of the device */
		if (page->zero)
			in_place |= CAUSE(REPLACED);
		return works_but(in_place, "the filesystem is asked first, and may refuse");
	}
	if (page->zero || page->ksm || !page->anon || page->mapcount > 1)
		return works(CAUSE(COW));
	if (page->anon_exclusive)
		return works(in_place);
	return works_but(in_place | CAUSE(COW), references);
}

static struct gw_prediction fault_on_page(const struct gw_case *c)
{
	/* the bits accessed and dirty, where they were not set */
	u32 in_place = CAUSE(UNCHANGED) | CAUSE(FLAGS_ONLY);

	if (writes(c) && !(gw_snapshot_rights(c->before) & GW_RIGHT_WRITE))
		return write_protected(c);
	if (c->flags & GW_FLAG_UNSHARE && c->before->page.valid &&
	    gw_vma_is_cow_mapping(c->vma) && !(gw_snapshot_rights(c->before) & GW_RIGHT_WRITE) &&
	    !c->before->page.anon_exclusive)
		return works(CAUSE(UNSHARE) | in_place);
	return works(in_place);
}

static struct gw_prediction present(const struct gw_case *c)
{
	/* a huge entry is marked as accessed (touch_pmd(), mm/huge_memory.c) */
	u32 as_it_is = CAUSE(UNCHANGED);

	if (c->before->leaf != GW_PTE)
		as_it_is |= CAUSE(FLAGS_ONLY);
	if (is_fault(c))
		return fault_on_page(c);
	if (gw_entry_allows(c))
		return works(as_it_is);
	if (!c->before->page.valid)
		return cannot_tell(as_it_is, "the entry maps no ordinary page");
	return writes(c) ? write_protected(c) : works(CAUSE(UNSHARE));
}

/* May it take the page that is mapped now, and not a copy? */
static bool takes_mapped(const struct gw_case *c, u32 causes)
{
	const struct gw_page *page = &c->before->page;

	if (!page->valid || page->zero)
		return false;
	if (causes & (CAUSE(UNCHANGED) | CAUSE(FLAGS_ONLY)))
		return true;
	/* what nobody else maps is taken over */
	return causes & CAUSE(UNSHARE) && page->anon && !page->ksm && page->mapcount <= 1;
}

/*
 * FOLL_LONGTERM moves what lies where it must not stay (folio_is_longterm_pinnable(), linux/mm.h).
 * A copy it takes from elsewhere (memalloc_pin_save()), and no page of zeros lies there.
 */
static struct gw_prediction moved_first(const struct gw_case *c, struct gw_prediction p)
{
	const struct gw_snapshot *before = c->before;

	if (p.outlook != GW_OUTLOOK_WORKS || !takes_mapped(c, p.causes) ||
	    !(longterm(c) || c->op->family == GW_FAMILY_MEMFD))
		return p;
	if (gw_page_in_cma(&before->page))
		p.doubt = "the page lies in memory set aside for CMA, and is moved out first if it "
			  "can be";
	else if (GW_HAVE_LONGTERM_MIGRATE && !strcmp(gw_page_zone_name(&before->page), "Movable"))
		p.doubt = "the page lies in the movable zone, and is moved out first if it can be";
	else
		return p;
	p.causes |= CAUSE(MIGRATED);
	p.causes &= ~(CAUSE(UNCHANGED) | CAUSE(FLAGS_ONLY));
	return p;
}

/* ---- other entries ---- */

/* The page may come to who asks for it. */
static struct gw_prediction numa_hint(const struct gw_case *c)
{
	static const char comes_again[] = "a NUMA hint: the kernel makes them again at any time";
	u32 restored = CAUSE(PROTNONE_RESTORED) | CAUSE(MIGRATED);

	if (!is_fault(c) && gw_entry_allows(c))
		return works_but(CAUSE(UNCHANGED), comes_again);
	if (writes(c))
		restored |= write_protected(c).causes & CAUSE(COW);
	else if (c->op->pins)
		restored |= CAUSE(UNSHARE);
	/* these kernels keep the right to write in the entry */
	if (!GW_HAVE_HONOR_NUMA_FAULT && writes(c) && c->flags & GW_FLAG_FORCE)
		restored |= CAUSE(UNCHANGED);
	return works_but(restored, comes_again);
}

static struct gw_prediction protnone(const struct gw_case *c)
{
	u32 let_in = CAUSE(PROTNONE_RESTORED) | CAUSE(COW) | CAUSE(UNSHARE);

	if (gw_vma_is_rwp(c->vma))
		return cannot_tell(let_in | CAUSE(UNCHANGED),
				   "userfaultfd has taken the access away: its monitor may have a say");
	if (vma_is_accessible(c->vma))
		return numa_hint(c);
	if (is_fault(c))
		return works(CAUSE(UNCHANGED) | CAUSE(FLAGS_ONLY));
	return gw_entry_allows(c) ? works(CAUSE(UNCHANGED)) : write_protected(c);
}

static struct gw_prediction marker(const struct gw_case *c)
{
	return cannot_tell(CAUSE(UNCHANGED) | CAUSE(ANON_ALLOCATED) | CAUSE(FILE_MAPPED),
			   "a marker of userfaultfd: its monitor may have a say");
}

static struct gw_prediction by_state(const struct gw_case *c)
{
	switch (c->before->state) {
	case GW_NONE:
		return hole(c);
	case GW_PRESENT:
		return present(c);
	case GW_PROTNONE:
		return protnone(c);
	case GW_SWAP:
		return works_but(CAUSE(SWAP_IN), "reading it from swap may fail");
	case GW_MIGRATION:
		return cannot_tell(CAUSE(UNCHANGED) | CAUSE(MIGRATED) | CAUSE(FLAGS_ONLY),
				   "the page is being moved; a call waits for it");
	case GW_MARKER:
		return marker(c);
	default:
		return cannot_tell(CAUSE(UNCHANGED), "an entry of a device, or a bad one");
	}
}

static struct gw_prediction mapped(const struct gw_case *c)
{
	struct gw_prediction p;

	/* neither looks at the page */
	if (c->op->family == GW_FAMILY_FOLLOW || c->op->family == GW_FAMILY_MEMFD)
		p = works(CAUSE(UNCHANGED));
	else
		p = by_state(c);
	if (c->op->never_faults && p.outlook == GW_OUTLOOK_WORKS)
		p.causes = CAUSE(UNCHANGED) | CAUSE(FLAGS_ONLY);
	return moved_first(c, p);
}

static struct gw_prediction fails(const struct gw_case *c, const struct gw_rule *rule)
{
	u32 causes = CAUSE(UNCHANGED) | CAUSE(TABLE_ALLOCATED);

	/* the pages were taken, and given back */
	if (!GW_HAVE_FSDAX_CHECK_FIRST && gw_rule_error(rule, c->op) == -EOPNOTSUPP)
		return cannot_tell(causes | mapped(c).causes,
				   "this kernel looks for DAX when it has the pages, and another "
				   "rule may have come first");
	return (struct gw_prediction){
		.outlook = GW_OUTLOOK_FAILS, .causes = causes, .rule = rule
	};
}

struct gw_prediction gw_predict(const struct gw_case *c)
{
	const struct gw_rule *rule = gw_rule_that_fails(c);

	if (!c->before->stable)
		return cannot_tell(CAUSE(UNSTABLE), "the page tables are changing just now");
	if (rule)
		return fails(c, rule);
	if (c->flags & GW_FLAG_NOWAIT && !gw_entry_allows(c) && !vma_is_anonymous(c->vma))
		return cannot_tell(CAUSE(UNCHANGED) | CAUSE(FILE_MAPPED),
				   "it must not wait, and whether it would have to is not known");
	return mapped(c);
}
