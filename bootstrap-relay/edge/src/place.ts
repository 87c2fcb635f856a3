/** Where on earth a request came from, as Cloudflare guesses it, and how far that is from elsewhere. */
export interface Place {
  /** degrees */
  latitude: number
  longitude: number
}

const EARTH_RADIUS_KM = 6371

/** @returns undefined where Cloudflare doesn't know */
export function placeOf(request: Request): Place | undefined {
  return readPlace(request.cf?.latitude, request.cf?.longitude)
}

export function readPlace(latitude: unknown, longitude: unknown): Place | undefined {
  if (latitude == null || longitude == null || latitude === '' || longitude === '') return undefined
  const place = { latitude: Number(latitude), longitude: Number(longitude) }
  return Math.abs(place.latitude) <= 90 && Math.abs(place.longitude) <= 180 ? place : undefined
}

/** Kilometres over the great circle. */
export function distance(a: Place, b: Place): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const halfLatitude = Math.sin(radians(b.latitude - a.latitude) / 2)
  const halfLongitude = Math.sin(radians(b.longitude - a.longitude) / 2)
  const chord = halfLatitude ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * halfLongitude ** 2
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)))
}
