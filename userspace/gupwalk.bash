# SPDX-License-Identifier: GPL-2.0-only
# bash completion for gupwalk. It asks the program which words there are: it is never out of date.

_gupwalk() {
	local cur prev words cword kind name rest command scenarios=
	_init_completion -s || return

	command=${words[1]}
	if ((cword == 1)); then
		while read -r kind name rest; do
			[[ $kind == command ]] && COMPREPLY+=("$name")
		done < <(gupwalk --words 2>/dev/null)
		mapfile -t COMPREPLY < <(compgen -W "${COMPREPLY[*]} --version --help" -- "$cur")
		return
	fi
	case $prev in
	--output | -o)
		_filedir
		return
		;;
	--debugfs)
		_filedir -d
		return
		;;
	--pid | -p)
		_pids
		return
		;;
	--pages | --comm | --addr | --min-pages | --min-time | --module)
		return
		;;
	--op | --flags)
		local have=${cur%,*} all
		[[ $cur == *,* ]] && have+=, || have=
		all=$(_gupwalk_module "$prev")
		mapfile -t COMPREPLY < <(compgen -P "$have" -W "$all" -- "${cur##*,}")
		compopt -o nospace
		return
		;;
	esac
	while read -r kind name rest; do
		case $kind in
		command)
			[[ $name == "$command" && $cur == -* ]] &&
				mapfile -t COMPREPLY < <(compgen -W "$rest" -- "$cur")
			;;
		scenario | recipe) scenarios+=" $name" ;;
		esac
	done < <(gupwalk --words 2>/dev/null)
	[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
	[[ $cur == -* ]] && return
	case $command in
	run) mapfile -t COMPREPLY < <(compgen -W "$scenarios" -- "$cur") ;;
	observe) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	compare)
		_filedir
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$scenarios" -- "$cur")
		;;
	esac
}

# What the loaded module knows: names of ops, or of flags.
_gupwalk_module() {
	local name flags
	while read -r name _ _ _ _ flags _; do
		[[ $name == \#* ]] && continue
		if [[ $1 == --op ]]; then
			echo "$name"
		elif [[ $flags != - ]]; then
			echo "${flags//,/ }"
		fi
	done 2>/dev/null </sys/kernel/debug/gupwalk/ops | sort -u
}

complete -F _gupwalk gupwalk
