# Writes the root file system of the image into a folder: Node, the libraries that it and its native modules are linked
# with, and the few files without which a C library and a container engine do not get along. Run in a Debian image with Node, in the
# folder that holds node_modules:
#
#     sh docker/root-file-system.sh /root-file-system
set -eu

root=$1
node=$(command -v node)

mkdir -p "$root/usr/local/bin" "$root/etc/portcullis" "$root/opt/portcullis" "$root/var/lib" "$root/run" "$root/tmp"
chmod 1777 "$root/tmp"

cp "$node" "$root/usr/local/bin/node"
# Calling it by its name is calling the program.
ln -s /opt/portcullis/docker/entry.js "$root/usr/local/bin/portcullis"

# `name => /path (address)` or `/path (address)`; modules for another C library find none, and are not loaded either.
find node_modules -name '*.node' -exec ldd "$node" {} + | tr -s ' \t' '\n' | grep '^/[^:]*$' | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp --dereference "$library" "$root$library"
done

# Whoever looks for known vulnerabilities finds here what is in the image; whoever passes it on needs the licences.
mkdir -p "$root/var/lib/dpkg/status.d"
for package in libc6 libgcc-s1 libstdc++6; do
  dpkg-query --status "$package" > "$root/var/lib/dpkg/status.d/$package"
  mkdir -p "$root/usr/share/doc/$package"
  cp --dereference "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
done
cp --dereference /etc/os-release "$root/etc/os-release"

cat > "$root/etc/passwd" <<'PASSWD'
root:x:0:0:root:/:/nonexistent
portcullis:x:65532:65532:portcullis:/nonexistent:/nonexistent
PASSWD
cat > "$root/etc/group" <<'GROUP'
root:x:0:
portcullis:x:65532:
GROUP
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"

# The two folders that the program may write to. Data is its own alone; into the other it puts the socket through which
# Envoy asks, as another user of its group. A volume that is new and empty takes over owner and mode.
mkdir "$root/var/lib/portcullis" "$root/run/portcullis"
chmod 0700 "$root/var/lib/portcullis"
chmod 0750 "$root/run/portcullis"
chown 65532:65532 "$root/var/lib/portcullis" "$root/run/portcullis"
