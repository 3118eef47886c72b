#!/usr/bin/env bash
# Print the path of a Chromium. Where there is none and we are root on Debian, install it,
# with the fonts that Thai pages need. Where that cannot be done, stop and name the package.
set -euo pipefail

find_chromium() {
    if [[ -n "${PULANG_CHROMIUM:-}" ]]; then
        if [[ ! -x "$PULANG_CHROMIUM" ]]; then
            echo "PULANG_CHROMIUM names '$PULANG_CHROMIUM', which cannot be run. Mend it or unset it." >&2
            exit 1
        fi
        echo "$PULANG_CHROMIUM"
        return
    fi
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

install_chromium() {
    export DEBIAN_FRONTEND=noninteractive
    echo "Installing the Debian package 'chromium' for the browser tests …" >&2
    apt-get update -qq >&2 &&
        apt-get install -y -qq --no-install-recommends chromium fonts-thai-tlwg fonts-noto-core >&2
}

if find_chromium; then
    exit 0
fi
if (( EUID == 0 )) && command -v apt-get > /dev/null && install_chromium && find_chromium; then
    exit 0
fi
echo "The browser tests need Chromium. Install the package 'chromium' (apt-get install chromium)," >&2
echo "or set PULANG_CHROMIUM to the path of one." >&2
exit 1
