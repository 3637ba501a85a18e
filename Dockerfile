# mapscope as an image: the single executable and the C library, nothing else. `npm run package` makes the same without an engine.
FROM node:26-bookworm AS build
WORKDIR /mapscope
COPY . .
RUN npm run setup && npm run package -- --only image

FROM scratch
COPY --from=build /mapscope/build/package/root/ /
USER 65532:65532
ENTRYPOINT ["/usr/bin/mapscope"]
CMD ["--help"]
