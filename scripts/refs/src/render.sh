#!/bin/sh
# Draws the reference pictures from their SVG sources. Needs rsvg-convert and
# ffmpeg; only whoever changes a drawing runs it, the PNGs are committed.
#
# The figures (protagonist, watch) keep their backdrop in the colour channels
# and are cut out by the alpha channel: a viewer that drops alpha shows the
# studio wall, one that honours it can put the figure on another plate.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

for plate in neon brand; do
  rsvg-convert "$plate.svg" -o "$tmp/$plate.png"
  ffmpeg -v error -y -i "$tmp/$plate.png" -pix_fmt rgb24 -pred mixed "../$plate.png"
done
for figure in protagonist watch; do
  rsvg-convert "$figure.svg" -o "$tmp/full.png"
  sed '/<g id="backdrop">/,/<\/g>/d' "$figure.svg" | rsvg-convert -o "$tmp/cut.png"
  ffmpeg -v error -y -i "$tmp/full.png" -i "$tmp/cut.png" -filter_complex \
    '[1]format=rgba,alphaextract[a];[0]format=rgba[f];[f][a]alphamerge' \
    -pix_fmt rgba -pred mixed "../$figure.png"
done
